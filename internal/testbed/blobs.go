package testbed

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Blob is a file of backups, or an object, or what there is of one that was begun.
type Blob struct {
	Name string // with what ends it: .age where it is whole
	Size int64
}

// mark is the name of what says beside the blobs whose they are.
const mark = "place"

// Blobs returns what lies where the server keeps its backups, beside the server, in the order of the names. An
// upload that was begun in an S3 store is called after its object, with .part behind it, and of size 0. What
// says whose the blobs are is left out.
func (s *Server) Blobs() []Blob {
	s.t.Helper()
	var all []Blob
	if !s.OnS3() {
		entries, err := os.ReadDir(s.blobPath(""))
		if err != nil {
			s.t.Fatalf("testbed: %v", err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if os.IsNotExist(err) {
				continue // it has just gone
			}
			if err != nil {
				s.t.Fatalf("testbed: %v", err)
			}
			if e.Name() != mark {
				all = append(all, Blob{e.Name(), info.Size()})
			}
		}
		return all
	}
	client, bucket, prefix := s.s3()
	ctx, cancel := context.WithTimeout(context.Background(), startsWithin)
	defer cancel()
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			s.t.Fatalf("testbed: list objects: %v", object.Err)
		}
		if name := strings.TrimPrefix(object.Key, prefix); name != mark {
			all = append(all, Blob{name, object.Size})
		}
	}
	for upload := range client.ListIncompleteUploads(ctx, bucket, prefix, true) {
		if upload.Err != nil {
			s.t.Fatalf("testbed: list uploads: %v", upload.Err)
		}
		all = append(all, Blob{strings.TrimPrefix(upload.Key, prefix) + ".part", 0})
	}
	return all
}

// ReadBlob returns what a blob holds.
func (s *Server) ReadBlob(name string) []byte {
	s.t.Helper()
	var content []byte
	var err error
	if s.OnS3() {
		client, bucket, prefix := s.s3()
		var object *minio.Object
		object, err = client.GetObject(s.t.Context(), bucket, prefix+name, minio.GetObjectOptions{})
		if err == nil {
			content, err = io.ReadAll(object)
			_ = object.Close()
		}
	} else {
		content, err = os.ReadFile(s.blobPath(name))
	}
	if err != nil {
		s.t.Fatalf("testbed: read blob: %v", err)
	}
	return content
}

// WriteBlob puts a blob in the place of what was there, as an intruder would.
func (s *Server) WriteBlob(name string, content []byte) {
	s.t.Helper()
	var err error
	if s.OnS3() {
		client, bucket, prefix := s.s3()
		_, err = client.PutObject(s.t.Context(), bucket, prefix+name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	} else {
		err = os.WriteFile(s.blobPath(name), content, 0o600)
	}
	if err != nil {
		s.t.Fatalf("testbed: write blob: %v", err)
	}
}

// RemoveBlob takes a blob away.
func (s *Server) RemoveBlob(name string) {
	s.t.Helper()
	var err error
	if s.OnS3() {
		client, bucket, prefix := s.s3()
		err = client.RemoveObject(s.t.Context(), bucket, prefix+name, minio.RemoveObjectOptions{})
	} else {
		err = os.Remove(s.blobPath(name))
	}
	if err != nil {
		s.t.Fatalf("testbed: remove blob: %v", err)
	}
}

func (s *Server) blobPath(name string) string { return filepath.Join(s.Data, "blobs", name) }

// s3 returns the store of the server's backups.
func (s *Server) s3() (client *minio.Client, bucket, prefix string) {
	s.t.Helper()
	client, err := s3Client(s.places.blobs)
	if err != nil {
		s.t.Fatalf("testbed: %v", err)
	}
	u, err := url.Parse(s.places.blobs)
	if err != nil {
		s.t.Fatal("testbed: " + blobsVariable + " is no URL")
	}
	if prefix = strings.TrimPrefix(u.Path, "/"); prefix != "" {
		prefix += "/"
	}
	return client, u.Host, prefix
}
