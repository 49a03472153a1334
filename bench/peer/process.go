// Package peer builds, starts and ends the programs that are measured.
//
// What always holds: they listen on the loopback interface only; each is ended by its id when it is stopped,
// and with the context that it was started with, so that none outlives a run that is broken off.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"caesar/bench/load"
)

// How long a program may take to answer its first request, and to end.
const (
	startsWithin = time.Minute
	stopsWithin  = 30 * time.Second
)

// Command is how a program is started.
type Command struct {
	Name    string // what it is called in messages
	Path    string
	Args    []string
	Environ []string // added to that of this process
	Address string   // host:port on which it will listen
	Ready   string   // the path that answers 200 once it serves
	Log     string   // the file that what it writes is added to: to read that must not be the client's work
}

// Process is a program that runs.
type Process struct {
	Name    string
	Address string
	PID     int
	Took    time.Duration // from its start to its first answer

	given <-chan struct{} // closed when it was to end with the context that it was started with
	stop  context.CancelFunc
	ended chan struct{} // closed once it has ended; err is set then
	err   error
	log   string
}

// Start starts a program and waits until it answers.
func Start(ctx context.Context, c Command) (*Process, error) {
	output, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer output.Close()
	p := &Process{Name: c.Name, Address: c.Address, given: ctx.Done(), ended: make(chan struct{}), log: c.Log}
	ctx, p.stop = context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, c.Path, c.Args...) //nolint:gosec // it is one of those in servers.go
	cmd.Env = append(os.Environ(), c.Environ...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopsWithin // and then it is killed
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p.PID = cmd.Process.Pid
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := p.await(ctx, c.Ready); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w\n%s", c.Name, err, p.said()), p.Stop())
	}
	p.Took = time.Since(begun)
	return p, nil
}

// Stop ends the program and waits for its end.
func (p *Process) Stop() error {
	alone := p.endedAlone()
	p.stop()
	<-p.ended
	if alone {
		return fmt.Errorf("%s had ended by itself: %w\n%s", p.Name, p.err, p.said())
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) && !exit.Exited() && signalled(exit) != syscall.SIGTERM {
		return fmt.Errorf("stop %s: %w\n%s", p.Name, p.err, p.said())
	}
	return nil
}

// endedAlone says whether the program has ended although nobody wanted it to.
func (p *Process) endedAlone() bool {
	select {
	case <-p.given:
		return false
	default:
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// said returns the end of what the program wrote.
func (p *Process) said() string {
	const most = 2048
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

func signalled(exit *exec.ExitError) syscall.Signal {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok {
		return status.Signal()
	}
	return -1
}

// await asks until the program answers. It asks often: how long a start takes is measured.
func (p *Process) await(ctx context.Context, path string) error {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
	deadline := time.Now().Add(startsWithin)
	for {
		err := once(ctx, p.Address, request, deadline)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %w", p.err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Microsecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

func once(ctx context.Context, address string, request []byte, deadline time.Time) error {
	conn, err := load.Dial(ctx, address, deadline)
	if err != nil {
		return err
	}
	defer conn.Close()
	a, err := conn.Do(request)
	if err != nil {
		return err
	}
	return a.Err()
}

// FreeAddress returns an address of the loopback interface that nobody listens on.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
