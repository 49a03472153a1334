package blob

import "os"

// WithoutHolds has a Dir behave as where files can't be locked.
func (d *Dir) WithoutHolds() *Dir {
	d.hold = func(*os.File) (bool, error) { return false, errNoHold }
	return d
}
