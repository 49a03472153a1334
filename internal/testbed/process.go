package testbed

import (
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is one run of a program.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed once it has ended; err is set then
	err   error
}

// begin starts a program. The thread that starts it lives until the program has ended: where the program is
// to be ended with its parent, Linux counts the thread as the parent.
func begin(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// end sends a signal to the program and waits for its end; one that has not ended in time is killed.
func (p *process) end(signal os.Signal) (inTime bool) {
	_ = p.cmd.Process.Signal(signal) // one that has ended already shows in how it ended
	select {
	case <-p.ended:
		return true
	case <-time.After(stopsWithin):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return false
	}
}

// running reports whether the program has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}
