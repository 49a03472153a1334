package wire_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
)

// unending is a body that is cut at its end. Package multipart takes one that ends in the header of a part
// for one that has ended well; so for it no body ever ends.
func unending(body []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
}

// byMultipart reads the contents of all parts as package multipart does, or only that of the file where
// there is one plainly named, and says whether the whole body is well formed.
func byMultipart(body io.Reader, boundary string) (contents []string, ok bool) {
	for reader := multipart.NewReader(body, boundary); ; {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			return contents, true
		}
		if err != nil {
			return nil, false
		}
		all, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		contents = append(contents, string(all))
		if p.FormName() == "file" && p.Header.Get("Content-Disposition") == "form-data; name=\"file\"; filename=\"a\"" {
			return []string{string(all)}, restIsWell(reader)
		}
	}
}

// restIsWell reads the parts that are left.
func restIsWell(reader *multipart.Reader) bool {
	for {
		if _, err := reader.NextRawPart(); err != nil {
			return err == io.EOF
		}
	}
}

// FuzzUpload holds the reader of parts against mime/multipart: what we take, it takes, and reads the same,
// and what it takes is not malformed to us. How the bytes arrive changes nothing.
func FuzzUpload(f *testing.F) {
	whole := parts(named("a", "1"), file("a", "content"), named("b", "2"))
	for _, body := range []string{
		whole, parts(file("a", "1"), file("b", "2")), "preamble\r\n" + whole + "epilogue", strings.ReplaceAll(whole, "\r\n", "\n"),
		"--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"b\"\r\n\r\n\r\n--xx--",
		strings.ReplaceAll(whole, "--xx\r\n", "--xx \t\r\n"), strings.ReplaceAll(whole, "--xx--", "--xx-- \t"), strings.TrimSuffix(whole, "\r\n"), whole[:len(whole)-1],
		parts(file("a", "--xxy\r\n--xxy\r\n--xx-\r\n-\r\n\r")), parts(file("a", "--xx")), parts(file("a", "")), strings.ReplaceAll(parts(file("a", "")), "\r\n\r\n\r\n--xx", "\r\n\r\n--xx"),
		"--xx--\n" + whole, "\n" + whole, whole + whole, "--xx--\r\n", "--xx\r\n\r\n", "--xx\n\n\n--xx--", parts("X: 1\n y\n \n: z\n\n"),
	} {
		f.Add([]byte(body), false)
		f.Add([]byte(body), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, long bool) {
		boundary := "xx"
		if long {
			boundary = strings.Repeat("-", 24) + "d74496d66958873e"
			body = bytes.ReplaceAll(body, []byte("xx"), []byte(boundary))
		}
		_, content, err := upload("multipart/form-data; boundary="+boundary, bytes.NewReader(body))
		refusal, ok := errors.AsType[*fault.Error](err)
		if err != nil && !ok {
			t.Fatalf("the error %v can't be shown", err)
		}
		if len(body) < 4096 {
			_, slowly, slowErr := upload("multipart/form-data; boundary="+boundary, iotest.OneByteReader(bytes.NewReader(body)))
			if (err == nil) != (slowErr == nil) || err == nil && slowly != content {
				t.Fatalf("got %q, %v; byte for byte %q, %v", content, err, slowly, slowErr)
			}
		}
		if err == nil {
			if want, ok := byMultipart(bytes.NewReader(body), boundary); !ok || !slices.Contains(want, content) {
				t.Fatalf("took %q; mime/multipart reads %q (well formed: %t)", content, want, ok)
			}
			return
		}
		if _, ok := byMultipart(unending(body), boundary); ok && len(body) <= wire.MaxAround && refusal.Message.Is(phrase.BodyNotForm) {
			t.Fatalf("refused as malformed what mime/multipart takes: %v", err)
		}
	})
}
