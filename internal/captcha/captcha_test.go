package captcha_test

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/captcha"
	"caesar/internal/fault"
	"caesar/internal/rootkey"
)

// memory is a Store for these tests.
type memory struct {
	mu    sync.Mutex
	spent map[string]time.Time
	asked int
	err   error
}

func (m *memory) SpendCaptcha(_ context.Context, serial []byte, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.err != nil {
		return false, m.err
	}
	_, again := m.spent[string(serial)]
	m.spent[string(serial)] = until
	return !again, nil
}

// desk is captchas over a memory, with a clock of their own and the key to look into ids.
type desk struct {
	*captcha.Captcha
	store *memory
	root  *rootkey.Ring
	now   time.Time
}

func newDesk(t testing.TB, on bool) *desk {
	t.Helper()
	root, err := rootkey.LoadOrCreate(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{store: &memory{spent: map[string]time.Time{}}, root: root, now: time.Unix(1_800_000_000, 0)}
	d.Captcha = captcha.New(root, d.store, on, func() time.Time { return d.now })
	return d
}

// draw returns a captcha's id and, as only the holder of the root key can, its answer.
func (d *desk) draw(t testing.TB) (id, answer string) {
	t.Helper()
	id, _, err := d.Draw()
	if err != nil {
		t.Fatalf("draw: %v", err)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		t.Fatalf("id is not base64url: %v", err)
	}
	secret, err := d.root.Sealer("captcha").Open(sealed)
	if err != nil {
		t.Fatalf("open id: %v", err)
	}
	return id, string(secret[len(secret)-5:])
}

func wrongFault(t *testing.T, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Slug != "captcha_wrong" {
		t.Fatalf("error is %v, want captcha_wrong", err)
	}
	if _, named := f.Fields["captcha"]; !named || len(f.Fields) != 1 {
		t.Fatalf("fields are %v, want captcha alone", f.Fields)
	}
}

func other(answer string) string {
	if answer == "00000" {
		return "00001"
	}
	return "00000"
}

func TestRightAnswerPassesOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	id, answer := d.draw(t)
	if err := d.Check(t.Context(), id, answer); err != nil {
		t.Fatalf("right answer: %v", err)
	}
	wrongFault(t, d.Check(t.Context(), id, answer))
}

func TestWrongAnswerSpendsTheCaptcha(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	for _, wrong := range []func(string) string{
		other,
		func(string) string { return "" },
		func(a string) string { return a + "0" },
		func(a string) string { return a[:4] },
		func(a string) string { return a + "\x00" },
		func(a string) string { return strings.Repeat(" ", 1000) + a },
		func(string) string { return "\xff\xfe" },
	} {
		id, answer := d.draw(t)
		wrongFault(t, d.Check(t.Context(), id, wrong(answer)))
		wrongFault(t, d.Check(t.Context(), id, answer))
	}
}

func TestSpacesAndWideDigitsAreRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	wide := func(s string) string {
		return strings.Map(func(r rune) rune { return r - '0' + '０' }, s)
	}
	for name, spell := range map[string]func(string) string{
		"around":      func(a string) string { return " " + a + "\n" },
		"between":     func(a string) string { return strings.Join(strings.Split(a, ""), " ") },
		"ideographic": func(a string) string { return a[:2] + "\u3000" + a[2:] },
		"full-width":  wide,
	} {
		id, answer := d.draw(t)
		if err := d.Check(t.Context(), id, spell(answer)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCaptchaLivesForThreeMinutes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	early, earlyAnswer := d.draw(t)
	late, lateAnswer := d.draw(t)
	d.now = d.now.Add(3*time.Minute - time.Millisecond)
	if err := d.Check(t.Context(), early, earlyAnswer); err != nil {
		t.Fatalf("just in time: %v", err)
	}
	asked := d.store.asked
	d.now = d.now.Add(time.Millisecond)
	wrongFault(t, d.Check(t.Context(), late, lateAnswer))
	if d.store.asked != asked {
		t.Error("an expired captcha reached the store")
	}
}

func TestSpentMarkOutlivesTheCaptcha(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	id, answer := d.draw(t)
	if err := d.Check(t.Context(), id, answer); err != nil {
		t.Fatal(err)
	}
	for _, until := range d.store.spent {
		if until.Before(d.now.Add(captcha.Life)) {
			t.Fatalf("the mark may go at %v, while the captcha lives until %v", until, d.now.Add(captcha.Life))
		}
	}
}

func TestForgedIDsAreRefusedWithoutTheStore(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	id, answer := d.draw(t)
	foreign, foreignAnswer := newDesk(t, true).draw(t)
	flipped := []byte(id)
	flipped[len(flipped)/2] ^= 1
	short, err := d.root.Sealer("captcha").Open(mustDecode(t, id))
	if err != nil {
		t.Fatal(err)
	}
	resealed := func(secret []byte, purpose string) string {
		return base64.RawURLEncoding.EncodeToString(d.root.Sealer(purpose).Seal(secret))
	}
	for name, forged := range map[string]string{
		"empty": "", "not base64": "!!!", "padded": id + "==", "cut": id[:len(id)-4], "altered": string(flipped),
		"line break": id[:10] + "\n" + id[10:], "long": strings.Repeat("A", 1<<20), "of another server": foreign,
		"of another purpose": resealed(short, "mail"), "of another size": resealed(short[1:], "captcha"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrongFault(t, d.Check(t.Context(), forged, answer))
			wrongFault(t, d.Check(t.Context(), forged, foreignAnswer))
		})
	}
	t.Cleanup(func() { // runs after all of the above
		if d.store.asked != 0 {
			t.Errorf("the store was asked %d times", d.store.asked)
		}
		if err := d.Check(context.Background(), id, answer); err != nil {
			t.Errorf("the true id after the forged ones: %v", err)
		}
	})
}

func mustDecode(t *testing.T, id string) []byte {
	t.Helper()
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestOfFiftyRacingAnswersOnePasses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	id, answer := d.draw(t)
	var passed atomic.Int32
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if d.Check(context.Background(), id, answer) == nil {
				passed.Add(1)
			}
		})
	}
	group.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d passed", passed.Load())
	}
}

func TestSwitchedOffEveryonePassesAndImagesAreStillDrawn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	if err := d.Check(t.Context(), "anything", ""); err != nil {
		t.Fatalf("check: %v", err)
	}
	if id, image, err := d.Draw(); err != nil || id == "" || image == "" {
		t.Fatalf("draw: %q, %d bytes of image, %v", id, len(image), err)
	}
}

func TestImageIsAPNGDataURIAndTheIDIsNothingButBase64URL(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	id, image, err := d.Draw()
	if err != nil {
		t.Fatal(err)
	}
	encoded, found := strings.CutPrefix(image, "data:image/png;base64,")
	if !found {
		t.Fatalf("image starts %.30q", image)
	}
	png, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.HasPrefix(string(png), "\x89PNG\r\n\x1a\n") {
		t.Fatalf("image is no PNG in base64: %v", err)
	}
	if strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(id) > 128 {
		t.Fatalf("id is %q", id)
	}
}

func TestAnswersAreFiveDigitsAndSpreadOverAllOfThem(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	var seen [5][10]int
	for range 500 {
		_, answer := d.draw(t)
		for i, digit := range []byte(answer) {
			if digit < '0' || digit > '9' {
				t.Fatalf("answer is %q", answer)
			}
			seen[i][digit-'0']++
		}
	}
	for place, digits := range seen {
		for digit, times := range digits {
			if times == 0 { // 500 draws miss one of 50 with a chance of 1e-21
				t.Errorf("digit %d never came at place %d", digit, place)
			}
		}
	}
}

func TestStoreThatFailsIsNoFaultOfTheCaller(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	id, answer := d.draw(t)
	d.store.err = errors.New("disk is gone")
	err := d.Check(t.Context(), id, answer)
	var f *fault.Error
	if !errors.Is(err, d.store.err) || errors.As(err, &f) {
		t.Fatalf("error is %v", err)
	}
	if strings.Contains(err.Error(), answer) || strings.Contains(err.Error(), id) {
		t.Fatal("the error repeats the id or the answer")
	}
}

func FuzzCheckNeverPassesWhatWasNotDrawn(f *testing.F) {
	d := newDesk(f, true)
	id, answer := d.draw(f)
	f.Add("", "")
	f.Add(id[:20], answer)
	f.Add(id+"A", answer)
	f.Fuzz(func(t *testing.T, forged, guess string) {
		if forged == id {
			t.Skip("drawn")
		}
		wrongFault(t, d.Check(t.Context(), forged, guess))
	})
}

func BenchmarkDraw(b *testing.B) {
	d := newDesk(b, true)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Draw(); err != nil {
			b.Fatal(err)
		}
	}
}
