package main

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"caesar/internal/settings"
	"caesar/internal/testbed"
)

// on returns the settings of a server in a folder, on a PostgreSQL.
func on(databaseURL, folder string) *settings.Settings {
	s := settingsIn(folder)
	s.Database, s.DatabasePool = settings.NewSecret(databaseURL), 4
	return s
}

// other returns a URL with something else in it, with its password.
func other(t *testing.T, databaseURL string, change func(*url.URL)) (changed, password string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	password, _ = u.User.Password()
	return u.String(), password
}

func TestTheDatabaseIsNamedWithoutItsPasswordAndWhatGoesInTheClearIsKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url, where string
		inClear    bool
	}{
		{"postgres://ada:hunter2@db.example/caesar", "postgres://db.example:5432/caesar", true},
		{"postgres://ada:hunter2@db.example/caesar?sslmode=disable", "postgres://db.example:5432/caesar", true},
		{"postgres://ada:hunter2@db.example/caesar?sslmode=allow", "postgres://db.example:5432/caesar", true},
		{"postgres://ada:hunter2@db.example/caesar?sslmode=prefer", "postgres://db.example:5432/caesar", true},
		{"postgres://ada:hunter2@db.example/caesar?sslmode=require", "postgres://db.example:5432/caesar", false},
		{"postgres://ada:hunter2@db.example:6543/caesar?sslmode=verify-full", "postgres://db.example:6543/caesar", false},
		{"postgres://ada:hunter2@localhost/caesar", "postgres://localhost:5432/caesar", false},
		{"postgres://ada:hunter2@127.0.0.9/caesar?sslmode=disable", "postgres://127.0.0.9:5432/caesar", false},
		{"postgres://ada:hunter2@[::1]/caesar", "postgres://[::1]:5432/caesar", false},
		{"postgres://ada:hunter2@127.0.0.1,db.example/caesar", "postgres://127.0.0.1:5432,db.example:5432/caesar", true},
		{"postgres:///caesar?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/caesar", false},
		{"postgres://ada@db.example?sslmode=require", "postgres://db.example:5432/ada", false},
	} {
		got, err := placeOf(c.url)
		if err != nil || got.String() != c.where || got.inClear != c.inClear {
			t.Errorf("%s: %s, in the clear %v: %v", c.url, got, got.inClear, err)
		}
	}
}

func TestADatabaseThatStartsLaterIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := testbed.StartPostgres(t)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	logged := make(lines, 100)
	opened := make(chan error, 1)
	go func() {
		store, err := reachDatabase(t.Context(), on(server.URL(), ""), time.Minute, slog.New(slog.NewTextHandler(logged, nil)))
		if err == nil {
			err = store.Close()
		}
		opened <- err
	}()
	select {
	case line := <-logged:
		if !strings.Contains(line, "cannot be reached yet") {
			t.Errorf("it says %s", line)
		}
	case err := <-opened:
		t.Fatalf("it was not waited for: %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("it is there now, and yet: %v", err)
	}
	if len(logged) > 0 {
		t.Errorf("the log says more: %s", <-logged)
	}
}

func TestADatabaseThatNeverStartsIsGivenUpInOneLineWithoutThePassword(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := on("postgres://ada:hunter2@127.0.0.1:1/caesar", "")
	_, err := reachDatabase(t.Context(), s, 2*time.Second, slog.New(slog.DiscardHandler))
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "postgres://127.0.0.1:1/caesar could not be reached for 2s") {
		t.Errorf("it says %v", err)
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("it was given up after %s", took)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	began = time.Now()
	if _, err := reachDatabase(stopped, s, time.Hour, slog.New(slog.DiscardHandler)); err == nil || time.Since(began) > time.Minute {
		t.Errorf("a server that is stopped goes on waiting: %v", err)
	}
}

func TestWhatOnlyAPersonCanMendIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	database := testbed.Postgres(t)
	for what, change := range map[string]func(*url.URL){
		"password authentication failed": func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "hunter2") },
		`database \"absent\"`:            func(u *url.URL) { u.Path = "/absent" },
	} {
		changed, password := other(t, database, change)
		_, err := reachDatabase(t.Context(), on(changed, ""), 20*time.Second, slog.New(slog.DiscardHandler))
		what = strings.ReplaceAll(what, `\`, "")
		if err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "could not be reached") || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: it says %v", what, err)
		}
	}
}
