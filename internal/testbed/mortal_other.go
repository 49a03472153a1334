//go:build !linux

package testbed

import "syscall"

// mortal starts a program as any: only Linux ends one with its parent.
func mortal() *syscall.SysProcAttr { return nil }
