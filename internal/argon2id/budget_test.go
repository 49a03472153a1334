package argon2id

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestTheMemoryOfAProcessIsTheLeastThatAnythingAllowsIt(t *testing.T) {
	t.Parallel()
	const machine = "MemFree: 1 kB\nMemTotal:       8388608 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"nothing is told": {nil, 0},
		"machine":         {map[string]string{"proc/meminfo": machine}, 8 << 30},
		"version 2": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/b.service/memory.max": "1073741824\n", "sys/fs/cgroup/a.slice/memory.max": "max\n",
		}, 1 << 30},
		"the group above": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/b.service/memory.max": "max\n", "sys/fs/cgroup/a.slice/memory.max": "536870912\n",
		}, 512 << 20},
		"a container": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n",
		}, 256 << 20},
		"outside the name space": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/memory.max": "268435456\n",
		}, 256 << 20},
		"version 1": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "9:cpu:/\n4:memory:/docker/1\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "134217728\n",
		}, 128 << 20},
		"version 1 without a limit": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 8 << 30},
		"broken": {map[string]string{"proc/meminfo": "MemTotal: x kB\nMemTotal:\n", "proc/self/cgroup": ":\n0::\n"}, 0},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm}
		}
		if got := memoryLimit(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestTheBudgetIsAQuarterOfTheMemoryButNeverLessThanAHash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		slots  int
		kib    uint32
		limit  uint64
		budget uint32
	}{
		{2, 64 << 10, 8 << 30, 128 << 10},
		{2, 64 << 10, 0, 128 << 10},
		{16, 64 << 10, 1 << 30, 256 << 10},
		{16, 64 << 10, 128 << 20, 64 << 10},
		{1 << 16, 1 << 20, 0, 1<<32 - 1},
	} {
		if got := budget(c.slots, c.kib, c.limit); got != c.budget {
			t.Errorf("%d slots of %d KiB in %d bytes: %d, want %d", c.slots, c.kib, c.limit, got, c.budget)
		}
	}
}

func TestTheBudgetOfThisMachineHoldsAHash(t *testing.T) {
	t.Parallel()
	if got := Budget(2, 64<<10); got < 64<<10 || got > 128<<10 {
		t.Errorf("Budget = %d KiB", got)
	}
}
