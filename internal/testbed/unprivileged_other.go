//go:build !linux

package testbed

import "syscall"

// unprivileged returns how a program is started as a user who is not root: as who runs the tests, who is
// not root where it is not Linux.
func unprivileged(string) (*syscall.SysProcAttr, error) { return nil, nil }
