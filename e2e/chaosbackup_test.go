package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"caesar/client"
)

// backupJournal is somebody who keeps backups while servers fail, one request after another, and all that
// they know of them by the answers.
type backupJournal struct {
	client.Member
	t        testing.TB
	record   *record
	answered map[int64]client.Version
	asked    map[string]sentFile // what was uploaded and not answered, by its name
	ids      []int64             // of what was answered
}

// step makes a request of any kind.
func (j *backupJournal) step(ctx context.Context) error {
	dice := rand.IntN(100)
	switch {
	case dice < 45 || len(j.ids) == 0:
		return j.record.note("upload", func() error { return j.upload(ctx) })
	case dice < 85:
		v := j.answered[j.ids[rand.IntN(len(j.ids))]]
		return j.record.note("download", func() error { return j.download(ctx, v, rand.Int64N(2)*rand.Int64N(1+v.Size/2)) })
	default:
		return j.record.note("list backups", func() error { return j.list(ctx) })
	}
}

// upload sends a file, small ones more often than large ones, and seldom one that the store takes in parts.
func (j *backupJournal) upload(ctx context.Context) error {
	seed := rand.Uint64()
	file := sentFile{fmt.Sprintf("backup %x", seed), seed, rand.Int64N(1 + rand.Int64N(400<<10))}
	if rand.IntN(60) == 0 {
		file.size = 9 << 20
	}
	j.asked[file.name] = file
	v, err := j.Upload(ctx, file.name, file.read())
	if err != nil {
		return err
	}
	delete(j.asked, file.name)
	j.is(v, file)
	j.answered[v.ID], j.ids = v, append(j.ids, v.ID)
	return nil
}

// is demands that a version is a file.
func (j *backupJournal) is(v client.Version, file sentFile) {
	if v.Name != file.name || v.Size != file.size || v.SHA256 != sha256Of(j.t, file.read()) {
		j.t.Errorf("%+v was sent as %+v", v, file)
	}
}

// download brings a version back from an offset on, and compares it with what was sent.
func (j *backupJournal) download(ctx context.Context, v client.Version, from int64) error {
	d, err := j.DownloadVersion(ctx, v.ID, from)
	if err != nil {
		return err
	}
	defer d.Close()
	got := sha256.New()
	_, err = io.Copy(got, d)
	if errors.Is(err, client.ErrDamaged) {
		j.t.Errorf("%s: %v", v.Name, err)
	}
	if err != nil {
		return err
	}
	if want := j.sumFrom(v, from); want != hex.EncodeToString(got.Sum(nil)) {
		j.t.Errorf("%s of %d bytes comes back as another one from byte %d on", v.Name, v.Size, from)
	}
	return nil
}

// sumFrom is the hash of what was sent, from an offset on.
func (j *backupJournal) sumFrom(v client.Version, from int64) string {
	if from == 0 {
		return v.SHA256
	}
	var seed uint64
	if _, err := fmt.Sscanf(v.Name, "backup %x", &seed); err != nil {
		j.t.Errorf("%s: %v", v.Name, err)
	}
	sum := sha256.New()
	_, _ = io.Copy(sum, io.NewSectionReader(endless{seed}, from, v.Size-from)) // neither fails
	return hex.EncodeToString(sum.Sum(nil))
}

// list holds what is listed against what is known.
func (j *backupJournal) list(ctx context.Context) error {
	backups, err := j.Versions(ctx)
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	for _, v := range backups.Files {
		there[v.ID] = true
		known, found := j.answered[v.ID]
		if file, asked := j.asked[v.Name]; !found && asked {
			j.is(v, file)
			delete(j.asked, v.Name)
			j.answered[v.ID], j.ids = v, append(j.ids, v.ID)
		} else if known != v {
			j.t.Errorf("%+v is there, and was answered as %+v", v, known)
		}
	}
	for id, v := range j.answered {
		if !there[id] {
			j.t.Errorf("%s was answered and is lost", v.Name)
		}
	}
	return nil
}

// check brings back all that is there.
func (j *backupJournal) check(ctx context.Context) {
	if err := j.list(ctx); err != nil {
		j.t.Errorf("after all, the list of backups: %v", err)
	}
	for _, v := range j.answered {
		if err := j.download(ctx, v, 0); err != nil {
			j.t.Errorf("after all, %s: %v", v.Name, err)
		}
	}
}

// mailJournal is one who has codes mailed, each to another address.
type mailJournal struct {
	record     *record
	ask        func(ctx context.Context, from, address string) error
	answered   map[string]bool // by the address
	unanswered int
}

func (j *mailJournal) step(ctx context.Context) error {
	n := people.Add(1)
	to := fmt.Sprintf("member.%d@example.org", n)
	from := fmt.Sprintf("198.51.%d.%d", n>>8&0xff, n&0xff) // mails are limited by who asks for them
	err := j.record.note("have mailed", func() error { return j.ask(ctx, from, to) })
	if err == nil {
		j.answered[to] = true
	} else {
		j.unanswered++
	}
	return err
}

// check demands one letter for each answer.
func (j *mailJournal) check(t testing.TB, received map[string][]string) {
	t.Helper()
	came := 0
	for to, ids := range received {
		came += len(ids)
		if len(ids) > 1 {
			t.Errorf("to %s came %d letters: %v", to, len(ids), ids)
		}
	}
	for to := range j.answered {
		if len(received[to]) == 0 {
			t.Errorf("to %s came no letter, and it was answered", to)
		}
	}
	t.Logf("%d letters came to %d addresses; %d were answered, %d were not", came, len(received), len(j.answered), j.unanswered)
}
