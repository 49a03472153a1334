// Package proc reads what Linux tells of processes and of the machine in /proc: what they have used of the
// processors, and what memory they hold.
//
// What always holds: of a process that is gone it says so, rather than that it used nothing.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc (USER_HZ), the same on every architecture that Go runs on.
const tick = 10 * time.Millisecond

var errUnread = errors.New("not as Linux writes it")

// CPU returns what a process, its threads and all that descends from it have used of the processors, with
// those of its children that have ended and been waited for.
func CPU(pid int) (time.Duration, error) {
	all, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, one := range all {
		sum += one.used
	}
	return sum, nil
}

// Self returns what this process has used of the processors, without its children.
func Self() (time.Duration, error) {
	p, err := readStat(os.Getpid())
	return p.used - p.ended, err
}

// Memory is what a process holds in memory, in bytes: now, and at most since its start or ResetPeak.
type Memory struct{ Resident, Peak int64 }

// Read returns the memory of a process and of all that descends from it, their peaks added up. What they
// share counts for each.
func Read(pid int) (Memory, error) {
	all, err := tree(pid)
	if err != nil {
		return Memory{}, err
	}
	sum, err := read(pid)
	if err != nil {
		return Memory{}, err
	}
	for _, child := range all[1:] {
		if m, err := read(child.pid); err == nil { // it may have ended meanwhile
			sum.Resident += m.Resident
			sum.Peak += m.Peak
		}
	}
	return sum, nil
}

// read returns the memory of one process.
func read(pid int) (Memory, error) {
	text, err := os.ReadFile(path(pid, "status"))
	if err != nil {
		return Memory{}, fmt.Errorf("read memory: %w", err)
	}
	var m Memory
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		var into *int64
		switch name {
		case "VmRSS":
			into = &m.Resident
		case "VmHWM":
			into = &m.Peak
		default:
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return Memory{}, fmt.Errorf("read memory of process %d: %q is %w", pid, line, errUnread)
		}
		*into = kib << 10
	}
	if m.Resident == 0 || m.Peak == 0 {
		return Memory{}, fmt.Errorf("read memory of process %d: it has ended", pid)
	}
	return m, nil
}

// ResetPeak has the peak of a process and of all that descends from it begin anew (proc(5),
// /proc/pid/clear_refs).
func ResetPeak(pid int) error {
	all, err := tree(pid)
	if err != nil {
		return err
	}
	for i, one := range all {
		err := os.WriteFile(path(one.pid, "clear_refs"), []byte("5"), 0o200)
		if err != nil && i == 0 { // a child may have ended meanwhile
			return fmt.Errorf("reset memory peak: %w", err)
		}
	}
	return nil
}

// one is what is read of a process.
type one struct {
	pid, parent int
	used, ended time.Duration // ended: of that, by children that have ended
}

// tree returns a process and all that descends from it.
func tree(pid int) ([]one, error) {
	root, err := readStat(pid)
	if err != nil {
		return nil, err
	}
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	children := map[int][]one{}
	for _, folder := range folders {
		other, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		// Processes come and go while they are listed.
		if p, err := readStat(other); err == nil {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	all := []one{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i].pid]...)
	}
	return all, nil
}

func readStat(pid int) (one, error) {
	text, err := os.ReadFile(path(pid, "stat"))
	if err != nil {
		return one{}, fmt.Errorf("read times: %w", err)
	}
	p, err := parseStat(text)
	if err != nil {
		return one{}, fmt.Errorf("read times of process %d: %w", pid, err)
	}
	p.pid = pid
	return p, nil
}

// parseStat reads the parent and the times of proc(5), /proc/pid/stat: fields 4, and 14 to 17. The name
// before them is in brackets and may hold anything.
func parseStat(text []byte) (one, error) {
	_, after, found := cutLast(text, []byte(") "))
	fields := strings.Fields(string(after))
	if !found || len(fields) < 15 {
		return one{}, errUnread
	}
	var p one
	var err error
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return one{}, errUnread
	}
	for i, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return one{}, errUnread
		}
		p.used += time.Duration(ticks) * tick
		if i >= 2 {
			p.ended += time.Duration(ticks) * tick
		}
	}
	return p, nil
}

func cutLast(text, separator []byte) (before, after []byte, found bool) {
	i := bytes.LastIndex(text, separator)
	if i < 0 {
		return text, nil, false
	}
	return text[:i], text[i+len(separator):], true
}

func path(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }
