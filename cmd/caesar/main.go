// Command caesar keeps a person's passwords on a server of their own.
//
// It answers 0 when it did what it was asked, 1 when that failed, and 2 when what it was asked, or its
// settings, made no sense; what went wrong is then told on the standard error.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // TZ holds where the system has no zones, as in a container of this binary alone
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	p := &program{environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.Run(ctx, os.Args[1:]))
}
