package testbed_test

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"caesar/internal/testbed"
)

func TestAnS3ServerKeepsWhatItHasOverAStopAndAStart(t *testing.T) {
	t.Parallel()
	server := testbed.StartS3(t)
	place := server.URL()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	client, err := minio.New(u.Query().Get("endpoint"), &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("kept "), 1000)
	if _, err := client.PutObject(t.Context(), u.Host, "a/b", bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.StatObject(t.Context(), u.Host, "a/b", minio.StatObjectOptions{}); err == nil {
		t.Error("it answers although it was stopped")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if server.URL() != place {
		t.Errorf("it moved: %s", server.Log())
	}
	object, err := client.GetObject(t.Context(), u.Host, "a/b", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if got, err := io.ReadAll(object); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, and %v", len(got), err)
	}
}

func TestEachTestHasAPlaceOfItsOwnInTheBucket(t *testing.T) {
	server := testbed.StartS3(t)
	t.Setenv("CAESAR_TEST_S3", server.URL())
	first, second := testbed.S3(t), testbed.S3(t)
	bucket, _, _ := strings.Cut(server.URL(), "?")
	if first == second || !strings.HasPrefix(first, bucket+"/") {
		t.Error("two tests share a place, or it is in another bucket")
	}
}
