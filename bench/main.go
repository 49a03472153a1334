// Command bench measures Caesar next to what people would pick instead, and to the limits of the machine:
// it builds or finds the others, fills all with the same data, asks each for the same by turns, and writes
// down how they compare. See README.md.
//
// What always holds: everything is on the loopback interface and below one folder, which goes at the end; every
// process it starts is ended by its id, also when it is broken off; a wrong answer fails the run.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"caesar/bench/plain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// start runs the benchmark, or the plain server that it starts itself as.
func start(ctx context.Context, args []string) error {
	if len(args) == 3 && args[0] == "plain" {
		return plain.Serve(ctx, args[1], args[2])
	}
	p, err := parsePlan(args, os.Stderr)
	if err != nil {
		return err
	}
	p.strict = os.Getenv("CI") == "true"
	return run(ctx, p, os.Stderr)
}
