//go:build linux

package proc

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAProcessIsReadWhateverItIsCalled(t *testing.T) {
	t.Parallel()
	const numbers = " S 17 9 9 0 -1 4194304 97 0 0 0 150 25 3 2 20 0 6 0 100 1 1"
	for _, name := range []string{"(caesar)", "(a b)", "(x) R 1 (y)"} {
		p, err := parseStat([]byte("42 " + name + numbers))
		if err != nil || p.parent != 17 || p.used != 1800*time.Millisecond || p.ended != 50*time.Millisecond {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for _, wrong := range []string{"", "42 (caesar) S 17", "42 (caesar)" + strings.Replace(numbers, "150", "x", 1), "42 (caesar)" + strings.Replace(numbers, "17", "x", 1)} {
		if p, err := parseStat([]byte(wrong)); err == nil {
			t.Errorf("%q is read as %+v", wrong, p)
		}
	}
}

func TestTheMachineIsBusyWithAllButIdlingAndWaiting(t *testing.T) {
	t.Parallel()
	busy, err := parseBusy("cpu  100 10 20 9999 8888 1 2 3 50 50\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
	if err != nil || busy != 1360*time.Millisecond {
		t.Errorf("%v, %v", busy, err)
	}
	for _, wrong := range []string{"", "intr 1 2 3", "cpu 1 2 3", "cpu 1 2 x 4 5 6 7 8 9 10"} {
		if busy, err := parseBusy(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, busy)
		}
	}
}

func TestWhatAChildUsesIsCounted(t *testing.T) {
	t.Parallel()
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	busyBefore, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	// The one that works is a child of the child.
	cmd := exec.Command("sh", "-c", "sh -c 'while :; do :; done' & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		after, err := CPU(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := CPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after >= 50*time.Millisecond && mine-before >= 50*time.Millisecond {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a child that works has used %v, and all of us %v", after, mine-before)
		}
	}
	if busy, err := Busy(); err != nil || busy <= busyBefore {
		t.Errorf("the machine was busy for %v, %v", busy-busyBefore, err)
	}
}

func TestMemoryIsWhatIsHeldAndItsPeakCanBeginAnew(t *testing.T) {
	t.Parallel()
	// dd holds its one block of 64 MiB for as long as it waits for what it reads, and then ends.
	cmd := exec.Command("dd", "bs=64M", "count=2", "iflag=fullblock", "of=/dev/null")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if _, err := in.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	m, err := Read(pid)
	if err != nil || m.Resident < 60<<20 || m.Peak < m.Resident || m.Peak > 80<<20 {
		t.Errorf("%+v, %v", m, err)
	}
	if err := ResetPeak(pid); err != nil {
		t.Error(err)
	}
	in.Close()
	_ = cmd.Wait()
	if m, err := Read(pid); err == nil {
		t.Errorf("a process that has ended holds %+v", m)
	}
	if used, err := CPU(pid); err == nil {
		t.Errorf("a process that has ended used %v", used)
	}
	if err := ResetPeak(pid); err == nil {
		t.Error("the peak of a process that has ended begins anew")
	}
}

func TestWhatAChildHoldsIsCounted(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", "dd bs=64M count=2 iflag=fullblock of=/dev/null; true")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	if _, err := in.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	if m, err := Read(cmd.Process.Pid); err != nil || m.Resident < 60<<20 || m.Peak < m.Resident {
		t.Errorf("%+v, %v", m, err)
	}
	if err := ResetPeak(cmd.Process.Pid); err != nil {
		t.Error(err)
	}
}

func TestAPeakThatBeganAnewIsWhatIsHeldNow(t *testing.T) {
	t.Parallel()
	// The shell holds a large text, and drops it when it is told to.
	cmd := exec.Command("sh", "-c", `x=$(head -c 40000000 /dev/zero | tr '\0' x); echo held; read _; unset x; echo dropped; read _`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	line := make([]byte, 16)
	for _, say := range []string{"", "\n"} {
		_, _ = in.Write([]byte(say))
		if _, err := out.Read(line); err != nil {
			t.Fatal(err)
		}
	}
	before, err := Read(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := ResetPeak(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	after, err := Read(cmd.Process.Pid)
	if err != nil || before.Peak < 35<<20 || after.Peak >= before.Peak {
		t.Errorf("the peak was %d and is %d, %v", before.Peak, after.Peak, err)
	}
}

func TestTheMachineSaysWhatItIs(t *testing.T) {
	t.Parallel()
	m := Describe()
	if m.Cores < 1 || m.Memory < 1<<26 || m.Kernel == "" {
		t.Errorf("%+v", m)
	}
}
