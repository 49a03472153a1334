//go:build !unix || aix || solaris

package main

import "os"

// hold takes every file for free, as there are no locks that end with their process.
func hold(*os.File) (free bool, err error) { return true, nil }
