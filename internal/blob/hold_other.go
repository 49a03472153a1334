//go:build !unix || aix || solaris

package blob

import "os"

// renamesOpen says whether a file can be renamed while it is open.
const renamesOpen = false

func hold(*os.File) (bool, error) { return false, errNoHold }
