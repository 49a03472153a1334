package testbed_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"caesar/internal/testbed"
)

// kept puts a row and a blob beside a server, and looks for both through what tests see of it.
func kept(t *testing.T, server *testbed.Server) {
	t.Helper()
	db := server.Database()
	if _, err := db.ExecContext(t.Context(), "INSERT INTO facts (name, value) VALUES ($1, $2)", "a fact", []byte("its value")); err != nil {
		t.Fatal(err)
	}
	if facts := server.Tables()["facts"]; !bytes.Contains(facts, []byte("a fact\nits value\n")) {
		t.Errorf("the facts are %q", facts)
	}
	server.WriteBlob("x.age", []byte("content"))
	if blobs := server.Blobs(); !slices.Equal(blobs, []testbed.Blob{{Name: "x.age", Size: 7}}) || string(server.ReadBlob("x.age")) != "content" {
		t.Errorf("the blobs are %v", blobs)
	}
	server.Stop()
	if again := testbed.Start(t, testbed.Over(server)); !bytes.Contains(again.Tables()["facts"], []byte("a fact")) || len(again.Blobs()) != 1 {
		t.Error("a server over another keeps its rows or its blobs elsewhere")
	}
	server.RemoveBlob("x.age")
	if blobs := server.Blobs(); len(blobs) != 0 {
		t.Errorf("the blobs are %v", blobs)
	}
}

func TestAServerKeepsAllOnTheBackEndThatTheTestsRunOn(t *testing.T) {
	postgres, s3 := testbed.StartPostgres(t), testbed.StartS3(t)
	t.Setenv("CAESAR_TEST_POSTGRES", postgres.URL())
	t.Setenv("CAESAR_TEST_S3", s3.URL())
	for _, c := range []struct {
		backend string
		options []testbed.Option
		file    bool
	}{
		{"", nil, true}, {"postgres", nil, false}, {"postgres", []testbed.Option{testbed.Embedded()}, true},
	} {
		t.Setenv("CAESAR_TEST_BACKEND", c.backend)
		server := testbed.Start(t, c.options...)
		_, err := os.Stat(filepath.Join(server.Data, "caesar.db"))
		if server.OnPostgres() == c.file || server.OnS3() == c.file || (err == nil) != c.file {
			t.Errorf("on the back end %q: on PostgreSQL: %t, on S3: %t, file: %v", c.backend, server.OnPostgres(), server.OnS3(), err)
		}
		kept(t, server)
	}
}
