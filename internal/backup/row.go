package backup

import (
	"encoding/binary"
	"errors"
	"fmt"

	"caesar/internal/rootkey"
)

// ErrTampered says that a row or its blob is not as this server wrote it: altered, or moved from
// another place.
var ErrTampered = errors.New("backup is not as it was written")

// rows binds versions to their places in the database.
type rows struct{ mac *rootkey.MAC }

func newRows(root *rootkey.Ring) rows { return rows{root.MAC("backup version row")} }

// sign sets the version's MAC.
func (r rows) sign(v *Version) {
	v.MAC = r.mac.Sum(parts(v)...)
}

// check returns ErrTampered where the version is not as it was signed.
func (r rows) check(v *Version) error {
	if !r.mac.Verify(v.MAC, parts(v)...) {
		return fmt.Errorf("row of version %d: %w", v.ID, ErrTampered)
	}
	return nil
}

func parts(v *Version) [][]byte {
	var numbers []byte
	for _, n := range []int64{v.ID, v.UserID, v.Size, v.HeaderSize, v.CreatedAt.Unix()} {
		numbers = binary.BigEndian.AppendUint64(numbers, uint64(n))
	}
	return [][]byte{numbers, []byte(v.Name), v.SHA256[:], []byte(v.Blob), v.HeaderHash[:]}
}
