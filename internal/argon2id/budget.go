package argon2id

import (
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// unlimited is more bytes than any machine has.
const unlimited = uint64(1) << 53

// Budget returns the KiB that the hashes of a server may take where nobody said: what all slots need for
// the dearest hash, but no more than a quarter of the memory that the process may use, where the system
// tells (Linux), and no less than one such hash.
func Budget(slots int, dearestKiB uint32) uint32 {
	return budget(slots, dearestKiB, memoryLimit(os.DirFS("/")))
}

func budget(slots int, dearestKiB uint32, limit uint64) uint32 {
	all := uint64(slots) * uint64(dearestKiB)
	if limit > 0 {
		all = min(all, limit/1024/4)
	}
	return uint32(min(max(all, uint64(dearestKiB)), math.MaxUint32))
}

// memoryLimit returns the bytes that the process may use: the machine's, or the least that its control
// group or one above allows (cgroups(7): memory.max of version 2, memory.limit_in_bytes of version 1). 0
// means that root tells nothing.
func memoryLimit(root fs.FS) uint64 {
	limit := unlimited
	if info, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
				limit = min(limit, number(f[1])<<10)
			}
		}
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // unread: no groups
	for line := range strings.Lines(string(groups)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(part) != 3:
		case part[0] == "0" && part[1] == "":
			limit = min(limit, groupLimit(root, "sys/fs/cgroup", part[2], "memory.max"))
		case part[1] == "memory":
			limit = min(limit, groupLimit(root, "sys/fs/cgroup/memory", part[2], "memory.limit_in_bytes"))
		}
	}
	if limit == unlimited {
		return 0
	}
	return limit
}

// groupLimit returns the least limit of a group and those above it. In a container the group may have a
// path that only the host knows; its limit then stands at the top.
func groupLimit(root fs.FS, mount, group, file string) uint64 {
	limit := unlimited
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		if text, err := fs.ReadFile(root, path.Join(mount, group, file)); err == nil {
			limit = min(limit, number(strings.TrimSpace(string(text))))
		}
		if group == "/" {
			return limit
		}
	}
}

// number reads a number of bytes or KiB; anything else, such as max, is no limit.
func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || n > unlimited {
		return unlimited
	}
	return n
}
