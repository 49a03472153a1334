package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"

	"caesar/internal/backup"
	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// smallSize is how much of a blob is kept in memory of its own, in bytes, before it takes a buffer.
const smallSize = 1 << 20

// s3Writer sends a blob as one object, or where it is longer than a part, as an upload of parts: one is
// sent while the next one fills, as long as there are buffers. Each request is signed with the SHA-256 of
// its body, which the store compares with what it got.
type s3Writer struct {
	s      *S3
	ctx    context.Context // of Create, until Close
	cancel context.CancelFunc
	name   string

	small []byte  // what was written, before it takes a buffer
	part  *buffer // what follows the parts that were sent

	upload   string               // its id, once there is one
	flight   chan sent            // receives the outcome of the part that is being sent; nil: there is none
	sent     []minio.CompletePart // those that the store has
	written  int64
	doubtful bool // whether there may be an object
	err      error
	state    state
}

type state uint8

const (
	writing state = iota
	committed
	closed
)

// sent is the outcome of one part.
type sent struct {
	part minio.CompletePart
	err  error
}

// Create implements backup.Blobs.
func (s *S3) Create(ctx context.Context) (backup.BlobWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.create(ctx, newName()), nil
}

func (s *S3) create(ctx context.Context, name string) *s3Writer {
	w := &s3Writer{s: s, name: name}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

// Write implements io.Writer.
func (w *s3Writer) Write(p []byte) (taken int, err error) {
	if err := w.open(w.ctx); err != nil {
		return 0, err
	}
	for taken < len(p) {
		if w.part == nil && len(w.small)+len(p)-taken <= smallSize {
			w.small = append(w.small, p[taken:]...)
			taken = len(p)
			break
		}
		if w.err = w.room(); w.err != nil {
			break
		}
		var n int
		if n, w.err = w.fill(p[taken:]); w.err != nil {
			break
		}
		taken += n
	}
	w.written += int64(taken)
	return taken, w.err
}

// open returns why nothing more can be done with the blob.
func (w *s3Writer) open(ctx context.Context) error {
	if w.state != writing {
		return fs.ErrClosed
	}
	return errors.Join(w.err, ctx.Err())
}

// room makes room in part for what follows.
func (w *s3Writer) room() error {
	switch {
	case w.part == nil:
		part, err := w.s.parts.take(w.ctx)
		if err != nil {
			return fmt.Errorf("write blob: %w", err)
		}
		w.part = part
		small := w.small
		w.small = nil
		_, err = w.fill(small)
		return err
	case w.part.filled < w.s.parts.size:
		return nil
	default:
		return w.sendOn()
	}
}

// fill fills the part.
func (w *s3Writer) fill(p []byte) (int, error) {
	n, err := w.s.parts.fill(w.part, p)
	if err != nil {
		return 0, fmt.Errorf("write blob: %w", err)
	}
	return n, nil
}

// sendOn sends a full part that others follow.
func (w *s3Writer) sendOn() error {
	full := w.part
	body, err := w.s.parts.hold(full)
	if err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	if err := w.land(); err != nil {
		return err
	}
	if len(w.sent)+1 == w.s.mostParts {
		most := phrase.BackupTooLarge.With(fmt.Sprintf("%d B", int64(w.s.mostParts)*int64(len(body))))
		return fmt.Errorf("write blob: %w", fault.New(fault.TooLarge, "too_large", most))
	}
	if w.upload == "" {
		asking, cancel := w.outlasting(w.ctx)
		defer cancel()
		upload, err := w.s.core.NewMultipartUpload(asking, w.s.place.bucket, w.s.key(w.name), minio.PutObjectOptions{})
		if err != nil {
			return explainS3(w.ctx, "begin upload of blob", err)
		}
		w.upload = upload
	}
	number := len(w.sent) + 1
	second := w.s.parts.second()
	if second == nil {
		err := w.landed(w.send(w.ctx, number, body))
		if err == nil {
			w.s.parts.again(full)
		}
		return err
	}
	w.part = second
	flight := make(chan sent, 1)
	w.flight = flight
	go func() {
		s := w.send(w.ctx, number, body)
		if s.err == nil {
			w.s.parts.again(full)
		}
		w.s.parts.give(full)
		flight <- s
	}()
	return nil
}

// outlasting returns a context that ends a while after another. What is broken off, the store may still
// carry out, and after it was dropped: so what was begun is given the time to end.
func (w *s3Writer) outlasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(w.s.waits.brief, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// send sends one part.
func (w *s3Writer) send(ctx context.Context, number int, body []byte) sent {
	sending, cancel := w.outlasting(ctx)
	defer cancel()
	part, err := w.s.core.PutObjectPart(sending, w.s.place.bucket, w.s.key(w.name), w.upload, number,
		bytes.NewReader(body), int64(len(body)), minio.PutObjectPartOptions{Sha256Hex: sha256Hex(body), DisableContentSha256: true})
	return sent{minio.CompletePart{PartNumber: number, ETag: part.ETag}, explainS3(ctx, "send part of blob", err)}
}

func sha256Hex(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// land waits for the part that is being sent.
func (w *s3Writer) land() error {
	if w.flight == nil {
		return nil
	}
	s := <-w.flight
	w.flight = nil
	return w.landed(s)
}

func (w *s3Writer) landed(s sent) error {
	if s.err == nil {
		w.sent = append(w.sent, s.part)
	}
	return s.err
}

// Commit implements backup.BlobWriter. The blob is as durable as what the store says it has.
func (w *s3Writer) Commit(ctx context.Context) (string, error) {
	if err := w.open(ctx); err != nil {
		return "", err
	}
	if err := w.ctx.Err(); err != nil {
		return "", err
	}
	if w.err = w.finish(ctx); w.err != nil {
		return "", w.err
	}
	w.state = committed
	if w.part != nil {
		w.s.parts.again(w.part)
	}
	w.release()
	return w.name, nil
}

// finish sends what is left and makes the object.
func (w *s3Writer) finish(ctx context.Context) error {
	last := w.small
	if w.part != nil {
		var err error
		if last, err = w.s.parts.hold(w.part); err != nil {
			return fmt.Errorf("end blob: %w", err)
		}
	}
	ending, cancel := w.outlasting(ctx)
	defer cancel()
	bucket, key := w.s.place.bucket, w.s.key(w.name)
	if w.upload == "" {
		w.doubtful = true
		_, err := w.s.core.PutObject(ending, bucket, key, bytes.NewReader(last), int64(len(last)), "", sha256Hex(last), options())
		return explainS3(ctx, "send blob", err)
	}
	if err := w.land(); err != nil {
		return err
	}
	if err := w.landed(w.send(ctx, len(w.sent)+1, last)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w.doubtful = true
	joining, stop := context.WithTimeout(ending, joinsWithin(w.written))
	defer stop()
	_, err := w.s.core.CompleteMultipartUpload(joining, bucket, key, w.upload, w.sent, options())
	if err == nil {
		return nil
	}
	err = explainS3(ctx, "end upload of blob", err)
	// Where the answer was lost the object is there: nobody else makes one of this name.
	if size, missed := w.s.size(ctx, w.name); missed == nil && size == w.written {
		return nil
	}
	return err
}

func options() minio.PutObjectOptions {
	return minio.PutObjectOptions{ContentType: "application/octet-stream", DisableContentSha256: true}
}

// Close implements backup.BlobWriter. What was sent is dropped also where ctx of Create has ended.
func (w *s3Writer) Close() error {
	was := w.state
	w.state = closed
	if was == closed || was == committed {
		return nil
	}
	w.cancel()
	_ = w.land() // whatever became of it, it is dropped
	w.release()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), w.s.waits.brief)
	defer cancel()
	var failed error
	if w.upload != "" {
		err := w.s.core.AbortMultipartUpload(ctx, w.s.place.bucket, w.s.key(w.name), w.upload)
		if !says(err, minio.NoSuchUpload) {
			failed = explainS3(ctx, "drop upload of blob", err)
		}
	}
	if w.doubtful {
		failed = errors.Join(failed, w.s.Delete(ctx, w.name))
	}
	return failed
}

// release lets go of all memory.
func (w *s3Writer) release() {
	w.cancel()
	w.small = nil
	if w.part != nil {
		w.s.parts.give(w.part)
		w.part = nil
	}
}
