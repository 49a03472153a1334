package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	agefile "filippo.io/age"

	"caesar/internal/testbed"
)

// operatorLab is a server that has kept files of two people, and those files.
func operatorLab(t *testing.T) (l *lab, contents []string) {
	t.Helper()
	l = open(t, append(quick(), testbed.Args("--log-level", "debug"))...)
	first, second := l.member(), l.member()
	contents = []string{"", "a word that nobody else would write: Löwenzahnkamera", random(1, 64<<10), random(2, 64<<10+1), random(3, 300_000)}
	for i, content := range contents {
		token := first.token
		if i%2 == 1 {
			token = second.token
		}
		l.uploaded(token, fmt.Sprintf("a name that nobody logs %d", i), content)
	}
	return l, contents
}

// blobPaths are the files of all backups.
func (l *lab) blobPaths(t *testing.T, count int) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(l.Data, "blobs", "*.age"))
	if err != nil || len(paths) != count {
		t.Fatalf("there are %v, %v", paths, err)
	}
	return paths
}

func TestTheOperatorOpensAnyBackupWithTheStockLibraryOfAge(t *testing.T) {
	t.Parallel()
	l, contents := operatorLab(t)
	l.Stop() // nothing of the server is needed
	file, err := os.Open(filepath.Join(l.Data, "keys", "backup.age"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	identities, err := agefile.ParseIdentities(file)
	if err != nil {
		t.Fatal(err)
	}
	var opened []string
	for _, path := range l.blobPaths(t, len(contents)) {
		blob, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := agefile.Decrypt(blob, identities...)
		if err != nil {
			t.Fatalf("open %s: %v", path, err)
		}
		content, err := io.ReadAll(plain)
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		opened = append(opened, string(content))
		_ = blob.Close()
	}
	slices.Sort(opened)
	if slices.Sort(contents); !slices.Equal(opened, contents) {
		t.Error("what was opened is not what was uploaded")
	}
}

func TestTheOperatorOpensAnyBackupWithTheStockAgeTool(t *testing.T) {
	t.Parallel()
	l, contents := operatorLab(t)
	l.Stop()
	identity := filepath.Join(l.Data, "keys", "backup.age")
	var opened []string
	for _, path := range l.blobPaths(t, len(contents)) {
		tool := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../tools/go.mod", "age", "-d", "-i", identity, path)
		var out, said bytes.Buffer
		tool.Stdout, tool.Stderr = &out, &said
		if err := tool.Run(); err != nil {
			t.Fatalf("age -d: %v\n%s", err, said.String())
		}
		opened = append(opened, out.String())
	}
	slices.Sort(opened)
	if slices.Sort(contents); !slices.Equal(opened, contents) {
		t.Error("what was opened is not what was uploaded")
	}
}

func TestNothingOfABackupLiesInTheClearOrIsLoggedAndOnlyTheOwnerMayReadIt(t *testing.T) {
	t.Parallel()
	l, contents := operatorLab(t)
	l.Kill()
	places := atRest(t, l.Data)
	places["the log"] = []byte(l.Log())
	for place, content := range places {
		for i, secret := range contents {
			if secret == "" {
				continue
			}
			if bytes.Contains(content, []byte(secret[:min(len(secret), 40)])) {
				t.Errorf("%s holds what was uploaded as file %d", place, i)
			}
		}
	}
	if strings.Contains(l.Log(), "nobody logs") {
		t.Error("the log names a file")
	}
	for _, folder := range []string{"blobs", "keys"} {
		err := filepath.WalkDir(filepath.Join(l.Data, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if entry.IsDir() {
				want = 0o700
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s has the mode %04o", path, info.Mode().Perm())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A blob that was altered, or put in the place of another, is an error and never an answer.
func TestABackupThatWasAlteredOrMovedIsAnErrorAndNeverAnAnswer(t *testing.T) {
	t.Parallel()
	l := troubled(t, quick()...)
	first, second := l.member(), l.member()
	content := random(1, 200_000)
	for _, token := range []string{first.token, second.token} {
		l.uploaded(token, "x", content)
	}
	paths := l.blobPaths(t, 2)
	whole := map[string][]byte{}
	for _, path := range paths {
		blob, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		whole[path] = blob
	}
	flipped := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b = slices.Clone(b)
			b[(at+len(b))%len(b)] ^= 1
			return b
		}
	}
	other := map[string][]byte{paths[0]: whole[paths[1]], paths[1]: whole[paths[0]]}
	for name, alter := range map[string]func(path string) []byte{
		"its header":     func(p string) []byte { return flipped(30)(whole[p]) },
		"its beginning":  func(p string) []byte { return flipped(300)(whole[p]) },
		"its middle":     func(p string) []byte { return flipped(100_000)(whole[p]) },
		"its end":        func(p string) []byte { return flipped(-1)(whole[p]) },
		"cut":            func(p string) []byte { return whole[p][:len(whole[p])-1] },
		"cut at a chunk": func(p string) []byte { return whole[p][:len(whole[p])-3000] },
		"empty":          func(string) []byte { return nil },
		"more":           func(p string) []byte { return append(slices.Clone(whole[p]), 0) },
		"another's":      func(p string) []byte { return other[p] },
	} {
		for _, path := range paths {
			if err := os.WriteFile(path, alter(path), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []*member{first, second} {
			l.damaged(name, m.token)
		}
		for _, path := range paths {
			if err := os.WriteFile(path, whole[path], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l.kept(t, "put back after "+name, first.token, content)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	l.damaged("lost", first.token)
}

// damaged asks for a version that can't be answered as it was uploaded: it demands 500 or, where what is
// wrong lies further on, an answer that is cut before its length.
func (l *lab) damaged(what, token string) {
	l.t.Helper()
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.URL+"/user/download_file/", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := l.http.Do(request)
	if err != nil {
		l.t.Errorf("%s: %v", what, err)
		return
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusInternalServerError && (err == nil || len(got) == 0) {
		l.t.Errorf("%s: it answers %d and %d bytes", what, response.StatusCode, len(got))
	}
}
