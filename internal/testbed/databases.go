package testbed

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres returns the URL of a fresh, empty database on the server of CAESAR_TEST_POSTGRES. It is dropped
// at the end of the test, whoever is still connected. Where that is not set the test is skipped, but fails
// with CI=true.
func Postgres(t testing.TB) (database string) {
	t.Helper()
	server := os.Getenv("CAESAR_TEST_POSTGRES")
	if server == "" {
		without(t, "CAESAR_TEST_POSTGRES is not set: make test starts a PostgreSQL")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("testbed: CAESAR_TEST_POSTGRES is no URL")
	}
	name := "caesar_" + strings.ToLower(rand.Text())
	// Nobody is ever connected to template0, so that many can be made of it at once.
	order(t, server, "CREATE DATABASE "+name+" TEMPLATE template0")
	t.Cleanup(func() { order(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// order has a server carry out one statement.
func order(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startsWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("testbed: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("testbed: %v", err)
	}
}

// without ends a test for want of something: it is skipped, but in CI, where everything has to be there, it
// fails.
func without(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("testbed: " + what)
	}
	t.Skip(what)
}
