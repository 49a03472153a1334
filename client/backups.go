package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// Version is a backup as it was uploaded once.
type Version struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"` // a label that anybody may have chosen, never to be taken for a path
	Size      int64  `json:"size"` // in bytes
	SHA256    string `json:"sha256"`
	CreatedAt Unix   `json:"created_at"`
}

// Upload keeps what file has, from where it is read next to its end, as a new version. The name is a
// label. Nothing is kept where ctx ends before; no other time-out bounds it. Where file is an [io.Seeker],
// its length is announced, so that a server without room says so at once.
func (m Member) Upload(ctx context.Context, name string, file io.Reader) (Version, error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	if _, err := form.CreateFormFile("file", name); err != nil {
		return Version{}, fmt.Errorf("make request: %w", err)
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	length := int64(-1)
	if rest, ok := left(file); ok {
		length = int64(head.Len()) + rest + int64(len(tail))
	}
	body := io.MultiReader(&head, file, strings.NewReader(tail))
	req, err := m.c.request(ctx, http.MethodPost, "user/upload_file/", nil, body)
	if err != nil {
		return Version{}, err
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Expect", "100-continue") // a refusal comes before the file is sent for nothing
	m.c.showSession(req)
	var answer struct {
		Data Version `json:"data"`
	}
	_, err = answerTo(&m.c.files, req, &answer)
	return answer.Data, err
}

// left returns how many bytes are left to read, where that can be found out.
func left(file io.Reader) (n int64, known bool) {
	seeker, ok := file.(io.Seeker)
	if !ok {
		return 0, false
	}
	at, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false // a pipe, say
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, false
	}
	if _, err := seeker.Seek(at, io.SeekStart); err != nil {
		return 0, false
	}
	return end - at, end >= at
}

// ErrDamaged is what reading a [Download] ends with that is not what was uploaded.
var ErrDamaged = errors.New("the file is not what was uploaded: its SHA-256 is another one")

// Download is a version, or the rest of one, to be read and closed. Where it is whole and its SHA-256 is
// known, its end is an [io.EOF] only after that was compared, and else [ErrDamaged].
type Download struct {
	Name   string // a label that anybody may have chosen, never to be taken for a path
	Size   int64  // of what there is to read, in bytes
	SHA256 string // of the whole version, in hex; "" where something on the way took it off

	body io.ReadCloser
	sum  hash.Hash // nil for a part, and where there is nothing to compare
}

// Read implements [io.Reader].
func (d *Download) Read(p []byte) (int, error) {
	n, err := d.body.Read(p)
	if d.sum == nil {
		return n, err
	}
	d.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(d.sum.Sum(nil)) != d.SHA256 {
		return n, ErrDamaged
	}
	return n, err
}

// Close implements [io.Closer].
func (d *Download) Close() error { return d.body.Close() }

// Download returns the newest version. No time-out but that of ctx bounds the reading of it.
func (m Member) Download(ctx context.Context) (*Download, error) {
	return m.download(ctx, "download_file/", 0)
}

// DownloadVersion returns one version, from an offset in bytes on: 0 is the whole of it, and where an
// earlier download broke off it goes on.
func (m Member) DownloadVersion(ctx context.Context, id, offset int64) (*Download, error) {
	if offset < 0 {
		return nil, errors.New("make request: the offset is negative")
	}
	return m.download(ctx, versionPath(id), offset)
}

func (m Member) download(ctx context.Context, path string, offset int64) (*Download, error) {
	req, err := m.c.request(ctx, http.MethodGet, "user/"+path, nil, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/octet-stream, application/json")
	req.Header.Set("Accept-Encoding", "identity") // its length and offsets are those of the file
	want := http.StatusOK
	if offset != 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
		want = http.StatusPartialContent
	}
	m.c.showSession(req)
	resp, err := m.c.files.Do(req)
	if err != nil {
		return nil, fmt.Errorf("send request: %w", err)
	}
	if resp.StatusCode != want {
		defer resp.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		return nil, errorFrom(resp, answer)
	}
	d := &Download{Size: resp.ContentLength, SHA256: sumOf(resp.Header.Get("ETag")), body: resp.Body}
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		d.Name = params["filename"]
	}
	if offset == 0 && d.SHA256 != "" {
		d.sum = sha256.New()
	}
	return d, nil
}

// sumOf returns the SHA-256 that an ETag is, also where a proxy made it a weak one, and "" where it is
// something else.
func sumOf(etag string) string {
	sum, err := hex.DecodeString(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
	if err != nil || len(sum) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(sum)
}

// Backups are the versions that are kept, and the room that they take.
type Backups struct {
	Files []Version `json:"files"` // the newest first
	Used  int64     `json:"used"`  // in bytes
	Quota int64     `json:"quota"` // in bytes
	Kept  int       `json:"kept"`  // how many versions are kept at most
}

// Versions returns the versions that are kept.
func (m Member) Versions(ctx context.Context) (Backups, error) {
	var answer struct {
		Data Backups `json:"data"`
	}
	_, err := m.call(ctx, http.MethodGet, "files/", nil, nil, &answer)
	return answer.Data, err
}

// DeleteVersion deletes one version for good.
func (m Member) DeleteVersion(ctx context.Context, id int64) error {
	_, err := m.call(ctx, http.MethodDelete, versionPath(id), nil, nil, nil)
	return err
}

func versionPath(id int64) string { return "files/" + strconv.FormatInt(id, 10) + "/" }
