package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"caesar/bench/plain"
	"caesar/bench/report"
	"caesar/bench/sample"
	"caesar/bench/stat"
	"caesar/internal/argon2id"
)

// bulk is how much is hashed and sealed to measure it.
const bulk = 64 << 20

// alone is one thing that the machine does, done once by do, which moves so many bytes (0: it is timed).
type alone struct {
	name  string
	bytes int
	do    func(context.Context) error
}

// measureLimits measures what the machine does of each thing alone.
func (s *stage) measureLimits(ctx context.Context) error {
	if !s.runs(limits) {
		return nil
	}
	things, err := s.alones()
	if err != nil {
		return err
	}
	for _, one := range things {
		var values []float64
		for range 1 + s.rounds {
			begun := time.Now()
			if err := one.do(ctx); err != nil {
				return fmt.Errorf("measure %s: %w", one.name, err)
			}
			took := time.Since(begun).Seconds()
			if one.bytes > 0 {
				values = append(values, float64(one.bytes)/(1<<20)/took)
			} else {
				values = append(values, took*1000)
			}
		}
		l := report.Limit{Name: one.name, Unit: "ms", Value: stat.Over(values[1:])} // the first warms up
		if one.bytes > 0 {
			l.Unit = "MiB/s"
		}
		s.results.Limits = append(s.results.Limits, l)
		s.say("%s: %.4g %s", l.Name, l.Value.Median, l.Unit)
	}
	return nil
}

// alones are the things of which the paths that are measured are made.
func (s *stage) alones() ([]alone, error) {
	password, salt := []byte(sample.MainPassword), []byte("salt of the benchmark")
	hasher := argon2id.NewHasher(1, plain.MainPassword.MemoryKiB)
	hash := func(p argon2id.Params) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := hasher.Key(ctx, password, salt, p, 32)
			return err
		}
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make age identity: %w", err)
	}
	noise := make([]byte, bulk)
	var sealed bytes.Buffer
	return []alone{
		{"Argon2id of a main password (64 MiB, t=3, p=1) in reused memory", 0, hash(plain.MainPassword)},
		{"the same by golang.org/x/crypto", 0, func(context.Context) error {
			argon2.IDKey(password, salt, plain.MainPassword.Passes, plain.MainPassword.MemoryKiB, plain.MainPassword.Lanes, 32)
			return nil
		}},
		{"Argon2id of a login password (19 MiB, t=2, p=1) in reused memory", 0, hash(argon2id.Login)},
		{"bcrypt of cost 10", 0, func(context.Context) error {
			_, err := bcrypt.GenerateFromPassword(password, 10)
			return err
		}},
		{"SHA-256", bulk, func(context.Context) error {
			sha256.Sum256(noise)
			return nil
		}},
		{"age, sealing", bulk, func(context.Context) error {
			sealed.Reset()
			w, err := age.Encrypt(&sealed, identity.Recipient())
			if err == nil {
				_, err = w.Write(noise)
			}
			if err != nil {
				return err
			}
			return w.Close()
		}},
		{"age, opening", bulk, func(context.Context) error {
			r, err := age.Decrypt(bytes.NewReader(sealed.Bytes()), identity)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, r)
			return err
		}},
		{"a page of 4 KiB to the disk, with fsync", 0, s.syncPage},
	}, nil
}

// syncPage writes a page to the end of a file and waits until it is durable.
func (s *stage) syncPage(context.Context) error {
	f, err := os.OpenFile(s.path("page"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 4096)); err != nil {
		return err
	}
	return f.Sync()
}
