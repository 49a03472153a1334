package argon2id_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	xargon2 "golang.org/x/crypto/argon2"
	"pgregory.net/rapid"

	"caesar/internal/argon2id"
)

// mainCost is that of a main password where nothing else is set.
var mainCost = argon2id.Params{Passes: 3, MemoryKiB: 64 << 10, Lanes: 1}

func TestTheVectorsOfTheReferenceImplementation(t *testing.T) {
	t.Parallel()
	// github.com/P-H-C/phc-winner-argon2, src/test.c, Argon2id, version 0x13.
	hasher := argon2id.NewHasher(2, 128<<10)
	for _, v := range []struct {
		password, salt string
		p              argon2id.Params
		want           string
	}{
		{"password", "somesalt", argon2id.Params{Passes: 2, MemoryKiB: 1 << 16, Lanes: 1}, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"},
		{"password", "somesalt", argon2id.Params{Passes: 2, MemoryKiB: 1 << 8, Lanes: 1}, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"},
		{"password", "somesalt", argon2id.Params{Passes: 2, MemoryKiB: 1 << 8, Lanes: 2}, "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"},
		{"password", "somesalt", argon2id.Params{Passes: 1, MemoryKiB: 1 << 16, Lanes: 1}, "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"},
		{"password", "somesalt", argon2id.Params{Passes: 4, MemoryKiB: 1 << 16, Lanes: 1}, "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c"},
		{"differentpassword", "somesalt", argon2id.Params{Passes: 2, MemoryKiB: 1 << 16, Lanes: 1}, "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"},
		{"password", "diffsalt", argon2id.Params{Passes: 2, MemoryKiB: 1 << 16, Lanes: 1}, "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"},
	} {
		key, err := hasher.Key(t.Context(), []byte(v.password), []byte(v.salt), v.p, 32)
		if got := hex.EncodeToString(key); err != nil || got != v.want {
			t.Errorf("%s, %s, %+v: %s, %v", v.password, v.salt, v.p, got, err)
		}
	}
}

func TestReusedMemoryGivesWhatFreshMemoryGives(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(1, 128<<10)
	rapid.Check(t, func(rt *rapid.T) {
		lanes := rapid.Uint8Range(1, 4).Draw(rt, "lanes")
		p := argon2id.Params{
			Passes:    rapid.Uint32Range(1, 3).Draw(rt, "passes"),
			MemoryKiB: rapid.Uint32Range(8*uint32(lanes), 300).Draw(rt, "memory"),
			Lanes:     lanes,
		}
		password := rapid.SliceOf(rapid.Byte()).Draw(rt, "password")
		salt := rapid.SliceOfN(rapid.Byte(), 8, 40).Draw(rt, "salt")
		keyLen := rapid.Uint32Range(4, 130).Draw(rt, "key length")
		got, err := hasher.Key(t.Context(), password, salt, p, keyLen)
		want := xargon2.IDKey(password, salt, p.Passes, p.MemoryKiB, p.Lanes, keyLen)
		if err != nil || !bytes.Equal(got, want) {
			rt.Fatalf("Key = %x, %v; want %x", got, err, want)
		}
	})
}

func TestNoMoreHashesRunThanThereAreSlots(t *testing.T) {
	t.Parallel()
	const slots, callers = 2, 20
	hasher := argon2id.NewHasher(slots, 128<<10)
	p := argon2id.Params{Passes: 1, MemoryKiB: 4096, Lanes: 1}
	want := xargon2.IDKey(nil, make([]byte, 16), 1, 4096, 1, 32)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			key, err := hasher.Key(t.Context(), nil, make([]byte, 16), p, 32)
			if err != nil || !bytes.Equal(key, want) {
				t.Errorf("Key = %x, %v", key, err)
			}
			if _, running := hasher.Load(); running > slots {
				t.Errorf("%d hashes run at once", running)
			}
		})
	}
	wg.Wait()
	if waiting, running := hasher.Load(); waiting != 0 || running != 0 {
		t.Errorf("Load = %d, %d after all is done", waiting, running)
	}
	if held := hasher.Idle(); held > slots*4096 {
		t.Errorf("%d KiB are held for %d slots", held, slots)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := argon2id.NewHasher(1, 128<<10)
		release := make(chan struct{})
		go func() {
			if err := hasher.Run(t.Context(), func() error { <-release; return nil }); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := make(chan error)
		go func() {
			_, err := hasher.Key(ctx, nil, make([]byte, 16), argon2id.Login, 32)
			done <- err
		}()
		synctest.Wait()
		if waiting, running := hasher.Load(); waiting != 1 || running != 1 {
			t.Errorf("Load = %d, %d, want 1, 1", waiting, running)
		}
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Key = %v", err)
		}
		close(release)
		synctest.Wait()
		if waiting, running := hasher.Load(); waiting != 0 || running != 0 {
			t.Errorf("Load = %d, %d after all is done", waiting, running)
		}
	})
}

func TestNothingIsComputedForAContextThatHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := argon2id.NewHasher(1, 128<<10).Key(ctx, nil, make([]byte, 16), mainCost, 32); !errors.Is(err, context.Canceled) {
		t.Errorf("Key = %v", err)
	}
}

func TestAHashUnderWayEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	hasher := argon2id.NewHasher(1, 128<<10)
	// Several seconds of work.
	p := argon2id.Params{Passes: 64, MemoryKiB: 64 << 10, Lanes: 1}
	if _, err := hasher.Key(ctx, nil, make([]byte, 16), p, 32); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Key = %v", err)
	}
	if _, running := hasher.Load(); running != 0 {
		t.Error("the slot is still held")
	}
}

func TestMemoryGoesBackAfterHalfAMinuteWithoutUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := argon2id.NewHasher(2, 128<<10)
		hash := func(kib uint32) {
			if _, err := hasher.Key(t.Context(), nil, make([]byte, 16), argon2id.Params{Passes: 1, MemoryKiB: kib, Lanes: 1}, 32); err != nil {
				t.Error(err)
			}
		}
		hash(1024)
		time.Sleep(20 * time.Second)
		hash(2048) // grows the same arena
		if held := hasher.Idle(); held != 2048 {
			t.Errorf("%d KiB are held, want 2048", held)
		}
		time.Sleep(29 * time.Second)
		if held := hasher.Idle(); held != 2048 {
			t.Errorf("%d KiB are held 29 s after the last use, want 2048", held)
		}
		time.Sleep(2 * time.Second)
		if held := hasher.Idle(); held != 0 {
			t.Errorf("%d KiB are held 31 s after the last use", held)
		}
		hash(64)
		time.Sleep(time.Minute)
		if held := hasher.Idle(); held != 0 {
			t.Errorf("%d KiB are held the second time", held)
		}
	})
}

func TestTheGarbageCollectorNeverSeesTheMemory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the memory is on the heap here")
	}
	hasher := argon2id.NewHasher(1, 128<<10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		if _, err := hasher.Key(t.Context(), nil, make([]byte, 16), argon2id.Login, 32); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes were allocated on the heap", grown)
	}
}

func TestParametersOutOfBoundsAreRefused(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(1, 128<<10)
	good := argon2id.Params{Passes: 1, MemoryKiB: 8, Lanes: 1}
	if _, err := hasher.Key(t.Context(), nil, make([]byte, 8), good, 4); err != nil {
		t.Errorf("the least there is: %v", err)
	}
	for _, p := range []argon2id.Params{
		{},
		{Passes: 0, MemoryKiB: 64, Lanes: 1},
		{Passes: 1, MemoryKiB: 7, Lanes: 1},
		{Passes: 1, MemoryKiB: 64, Lanes: 0},
		{Passes: 1, MemoryKiB: 31, Lanes: 4},
		{Passes: 1, MemoryKiB: 1 << 16, Lanes: 17},
		{Passes: 65, MemoryKiB: 64, Lanes: 1},
		{Passes: 1, MemoryKiB: 1<<20 + 1, Lanes: 1},
		{Passes: 1, MemoryKiB: 1<<32 - 1, Lanes: 1},
	} {
		if _, err := hasher.Key(t.Context(), nil, make([]byte, 16), p, 32); !errors.Is(err, argon2id.ErrParameters) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, v := range []struct {
		salt   int
		keyLen uint32
	}{{7, 32}, {16, 3}, {16, 1025}, {1<<20 + 1, 32}} {
		if _, err := hasher.Key(t.Context(), nil, make([]byte, v.salt), good, v.keyLen); !errors.Is(err, argon2id.ErrParameters) {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

func benchmark(b *testing.B, p argon2id.Params) {
	b.Helper()
	hasher := argon2id.NewHasher(1, 128<<10)
	salt := make([]byte, 16)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hasher.Key(b.Context(), salt, salt, p, 32); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogin(b *testing.B) { benchmark(b, argon2id.Login) }

func BenchmarkMain(b *testing.B) { benchmark(b, mainCost) }
