//go:build !linux

package blob

import "os"

func flush(*os.File, int64, int64) {}
