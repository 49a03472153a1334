package keyring_test

import (
	"testing"
	"time"

	"caesar/internal/keyring"
)

func BenchmarkCheck(b *testing.B) {
	k := newKeyring(b)
	r := makeRecord(b, k, 7)
	b.ReportAllocs()
	for b.Loop() {
		if err := k.Check(7, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnlockAtTheDefaultPrice(b *testing.B) {
	k := keyring.New(newRing(b), hasher, keyring.KDF{Type: 1, Iterations: 3, MemoryMiB: 64, Parallelism: 1}, time.Now)
	r := makeRecord(b, k, 7)
	b.ReportAllocs()
	for b.Loop() {
		unlock(b, k, 7, r, password)
	}
}

func BenchmarkNewItemKey(b *testing.B) {
	k := newKeyring(b)
	user := unlock(b, k, 7, makeRecord(b, k, 7), password)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := user.NewItemKey(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkItemKey(b *testing.B) {
	k := newKeyring(b)
	user := unlock(b, k, 7, makeRecord(b, k, 7), password)
	_, wrapped, _ := user.NewItemKey()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := user.ItemKey(wrapped); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecall(b *testing.B) {
	k := newKeyring(b)
	r := makeRecord(b, k, 7)
	k.Remember("12", 7, 1, password, unlock(b, k, 7, r, password))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := k.Recall("12", 7, 1, password); !ok {
			b.Fatal("forgotten")
		}
	}
}
