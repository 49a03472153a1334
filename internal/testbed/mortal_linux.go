package testbed

import "syscall"

// mortal starts a program so that signals of a terminal do not reach it, and that it ends with the process
// that started it, however that ends.
func mortal() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
