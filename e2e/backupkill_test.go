package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/client"
	"caesar/internal/testbed"
)

// uploadDiary is somebody who uploads one file after another, and all that was answered.
type uploadDiary struct {
	*lab
	*member
	answered map[int64]client.Version
	// What was sent last and not answered, if anything: it may have come to pass or not.
	asked *sentFile
	sent  uint64
}

// sentFile is a file that can be made again from its seed.
type sentFile struct {
	name string
	seed uint64
	size int64
}

func (f sentFile) read() *io.SectionReader { return endless{f.seed}.file(f.size) }

// write uploads a file of up to 3 MiB, small ones more often than large ones.
func (d *uploadDiary) write(ctx context.Context) error {
	d.sent++
	seed := d.sent<<8 | uint64(people.Add(1))&0xff
	d.asked = &sentFile{fmt.Sprintf("%s %d", d.name, seed), seed, rand.Int64N(1 + rand.Int64N(3<<20))}
	v, err := d.Upload(ctx, d.asked.name, d.asked.read())
	if err != nil {
		return err
	}
	d.answered[v.ID] = v
	d.asked = nil
	return nil
}

// check holds all that is there against what was answered, and brings all of it back.
func (d *uploadDiary) check() (there int) {
	d.t.Helper()
	backups, err := d.Versions(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	found := map[int64]client.Version{}
	for _, v := range backups.Files {
		found[v.ID] = v
		if known, ok := d.answered[v.ID]; ok && known != v {
			d.t.Errorf("version %+v was answered as %+v", v, known)
		} else if !ok {
			d.unanswered(v)
		}
		download, err := d.DownloadVersion(d.t.Context(), v.ID, 0)
		if err != nil {
			d.t.Errorf("bring back %s: %v", v.Name, err)
			continue
		}
		n, err := io.Copy(io.Discard, download) // which compares the hash
		if err != nil || n != v.Size {
			d.t.Errorf("%s of %d bytes comes back with %d: %v", v.Name, v.Size, n, err)
		}
		_ = download.Close()
	}
	for id, v := range d.answered {
		if _, ok := found[id]; !ok {
			d.t.Errorf("%s was answered and is lost", v.Name)
		}
	}
	d.answered, d.asked = found, nil
	return len(found)
}

// unanswered demands that a version is what was on its way, whole.
func (d *uploadDiary) unanswered(v client.Version) {
	d.t.Helper()
	if d.asked == nil || v.Name != d.asked.name || v.Size != d.asked.size || v.SHA256 != sha256Of(d.t, d.asked.read()) {
		d.t.Errorf("%+v is there, and on its way was %+v", v, d.asked)
	}
	d.asked = nil
}

// What was answered before the process was killed, at any moment and in the middle of uploads, is there
// when it comes back, whole; of the others nothing is, on the disk neither. In an S3 store nobody can tell
// whether a writer lives: what it holds beside all that is left there for a day.
func TestEveryAnsweredUploadIsWholeAfterSIGKILLAndNoTraceIsLeftOfTheOthers(t *testing.T) {
	t.Parallel()
	const writers, kills = 4, 5
	l := crowd(t, append(quick(), testbed.Args("--backup-keep", "1000"))...)
	var diaries []*uploadDiary
	for range writers {
		diaries = append(diaries, &uploadDiary{lab: l, member: l.member(), answered: map[int64]client.Version{}})
	}
	cutOff := 0
	for range kills {
		var answered atomic.Int64
		enough := make(chan struct{})
		until := 10 + rand.Int64N(20)
		var writing sync.WaitGroup
		for _, d := range diaries {
			writing.Go(func() {
				untilKilled(t, d.write, func() {
					if answered.Add(1) == until {
						close(enough)
					}
				})
			})
		}
		<-enough
		time.Sleep(rand.N(20 * time.Millisecond)) // at any moment of what follows the last answer
		l.Kill()
		writing.Wait()
		for _, file := range l.blobs() {
			if strings.Contains(file, ".part ") {
				cutOff++
			}
		}
		l.Restart()
		kept := 0
		for _, d := range diaries {
			kept += d.check()
		}
		if !l.OnS3() {
			l.eventually("what was cut off is swept", func() bool { return len(l.blobs()) == kept })
			for _, file := range l.blobs() {
				if !strings.Contains(file, ".age ") {
					t.Errorf("on the disk is %s", file)
				}
			}
		}
		if rows := l.counted("versions"); rows != kept {
			t.Errorf("%d rows are there for %d versions", rows, kept)
		}
	}
	if t.Logf("%d uploads were cut off in the middle", cutOff); cutOff == 0 && !l.OnS3() {
		t.Error("no upload was cut off in the middle: this tests nothing")
	}
	for _, d := range diaries {
		if err := d.write(t.Context()); err != nil {
			t.Errorf("after all, an upload: %v", err)
		}
	}
}

// Where the process goes on, what it swept at its start is all that there was to sweep.
func TestAServerThatIsStoppedInTheMiddleOfAnUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	l := crowd(t, quick()...)
	m := l.member()
	l.uploaded(m.token, "old", "old")
	before := l.holdings(m.token)
	body, sending := io.Pipe()
	came := make(chan error, 1)
	go func() {
		_, err := m.Upload(t.Context(), "x", body)
		came <- err
	}()
	if _, err := sending.Write([]byte(random(1, seenAtAStore))); err != nil {
		t.Fatal(err)
	}
	l.eventually("the upload is under way", func() bool { return len(l.blobs()) == 2 })
	l.Kill()
	_ = sending.CloseWithError(errors.New("the server is gone"))
	if err := <-came; err == nil {
		t.Error("a server that was killed answered")
	}
	l.Restart()
	if l.OnS3() { // nobody can tell there whether a writer lives: what was sent stays for a day
		before += "\n" + l.blobs()[1]
	}
	l.unchanged("a killed server", m.token, before)
	l.kept(t, "after all", m.token, "old")
}
