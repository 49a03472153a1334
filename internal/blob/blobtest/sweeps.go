package blobtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"caesar/internal/backup"
)

func aSweepTakesWhatNobodyUses(f *fixture) {
	used, stray := f.put([]byte("used")), f.put([]byte("stray"))
	if f.place.Age != nil {
		f.must(f.other.Sweep(f.Context(), nobody))
		f.equal(f.get(stray), "stray") // it is young
		f.age()
	}
	f.must(f.other.Sweep(f.Context(), func(_ context.Context, name string) (bool, error) { return name == used, nil }))
	f.equal(f.get(used), "used")
	f.absent(stray)
}

func aSweepSparesWhatIsBeingWritten(f *fixture) {
	for _, begun := range []string{"begun", string(large)} {
		w := f.begin([]byte(begun))
		f.must(f.other.Sweep(f.Context(), nobody))
		f.must(f.Sweep(f.Context(), nobody))
		_, err := w.Write([]byte(", ended"))
		f.must(err)
		f.equal(f.get(f.commit(w)), begun+", ended")
	}
}

func aSweepSparesWhatIsHeld(f *fixture) {
	w := f.begin([]byte("held"))
	name := f.commit(w)
	f.must(f.other.Sweep(f.Context(), nobody))
	f.must(f.Sweep(f.Context(), nobody))
	f.equal(f.get(name), "held")
	f.must(w.Close())
	f.age()
	f.must(f.other.Sweep(f.Context(), nobody))
	f.absent(name)
}

func aSweepGoesOn(f *fixture) {
	unknown, stray := f.put([]byte("unknown")), f.put([]byte("stray"))
	f.age()
	failure := errors.New("the database is away")
	err := f.Sweep(f.Context(), func(_ context.Context, name string) (bool, error) {
		if name == unknown {
			return false, failure
		}
		return false, nil
	})
	if !errors.Is(err, failure) {
		f.Errorf("the error is %v, want %v", err, failure)
	}
	f.equal(f.get(unknown), "unknown")
	f.absent(stray)
}

// sweepsAndWritersAtOnce has sweeps go on and on while blobs are written, half of which are dropped. The
// name of each of the others is stored before it is let go of, as it must be.
func sweepsAndWritersAtOnce(f *fixture) {
	var stored register
	var writers, sweepers sync.WaitGroup
	var over atomic.Bool
	for _, blobs := range []backup.Blobs{f.Blobs, f.other} {
		sweepers.Go(func() {
			for !over.Load() {
				if err := blobs.Sweep(f.Context(), stored.has); err != nil {
					f.Error(err)
				}
			}
		})
	}
	for range 8 {
		writers.Go(func() {
			for i := range 25 {
				f.writeAndStore(&stored, i%2 == 0)
			}
		})
	}
	writers.Wait()
	over.Store(true)
	sweepers.Wait()
	kept := 0
	for _, name := range stored.names() {
		kept++
		f.equal(f.get(name), "content")
	}
	if kept != 8*13 {
		f.Errorf("%d blobs were stored, want %d", kept, 8*13)
	}
}

func (f *fixture) writeAndStore(stored *register, keep bool) {
	w, err := f.Create(f.Context())
	if err != nil {
		f.Error(err)
		return
	}
	defer w.Close()
	if _, err := w.Write([]byte("content")); err != nil {
		f.Error(err)
	}
	if !keep {
		return
	}
	name, err := w.Commit(f.Context())
	if err != nil {
		f.Error(err)
		return
	}
	stored.add(name)
}

// register is the names that are stored.
type register struct {
	mu    sync.Mutex
	known []string
}

func (r *register) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = append(r.known, name)
}

func (r *register) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.known)
}

func (r *register) has(ctx context.Context, name string) (bool, error) {
	return slices.Contains(r.names(), name), ctx.Err()
}
