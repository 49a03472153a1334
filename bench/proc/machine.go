package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Busy returns how long the machine's processors were at work since it started, all together: for anybody,
// for the system, for interrupts, or for another machine on the same host.
func Busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read times of the machine: %w", err)
	}
	return parseBusy(string(text))
}

// parseBusy reads the first line of proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq,
// steal, and two that the first two hold already.
func parseBusy(text string) (time.Duration, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("read times of the machine: %q is %w", line, errUnread)
	}
	var sum time.Duration
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read times of the machine: %q is %w", line, errUnread)
		}
		if i != 3 && i != 4 { // idle and iowait
			sum += time.Duration(ticks) * tick
		}
	}
	return sum, nil
}

// Machine describes what was measured on.
type Machine struct {
	Processor string
	Cores     int
	Memory    int64 // bytes
	System    string
	Kernel    string
}

// Describe returns what the machine says of itself. What it does not say is left empty.
func Describe() Machine {
	m := Machine{Cores: runtime.NumCPU()}
	m.Processor = value("/proc/cpuinfo", "model name", ":")
	m.System = strings.Trim(value("/etc/os-release", "PRETTY_NAME", "="), `"`)
	kib, err := strconv.ParseInt(strings.TrimSuffix(value("/proc/meminfo", "MemTotal", ":"), " kB"), 10, 64)
	if err == nil {
		m.Memory = kib << 10
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	return m
}

// value returns what the first line of a file says of a name.
func value(file, name, separator string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, v, found := strings.Cut(line, separator); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
