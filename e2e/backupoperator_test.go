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

// blobNames are the names of all backups' files.
func (l *lab) blobNames(count int) []string {
	l.t.Helper()
	var names []string
	for _, b := range l.Blobs() {
		if strings.HasSuffix(b.Name, ".age") {
			names = append(names, b.Name)
		}
	}
	if len(names) != count {
		l.t.Fatalf("there are %v", names)
	}
	return names
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
	for _, name := range l.blobNames(len(contents)) {
		plain, err := agefile.Decrypt(bytes.NewReader(l.ReadBlob(name)), identities...)
		if err != nil {
			t.Fatalf("open %s: %v", name, err)
		}
		content, err := io.ReadAll(plain)
		if err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		opened = append(opened, string(content))
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
	for _, name := range l.blobNames(len(contents)) {
		tool := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../tools/go.mod", "age", "-d", "-i", identity)
		var out, said bytes.Buffer
		tool.Stdin, tool.Stdout, tool.Stderr = bytes.NewReader(l.ReadBlob(name)), &out, &said
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
	places := l.atRest()
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
	folders := []string{"keys"}
	if !l.OnS3() {
		folders = append(folders, "blobs")
	}
	for _, folder := range folders {
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
	names := l.blobNames(2)
	whole := map[string][]byte{}
	for _, name := range names {
		whole[name] = l.ReadBlob(name)
	}
	flipped := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b = slices.Clone(b)
			b[(at+len(b))%len(b)] ^= 1
			return b
		}
	}
	other := map[string][]byte{names[0]: whole[names[1]], names[1]: whole[names[0]]}
	for what, alter := range map[string]func(name string) []byte{
		"its header":     func(n string) []byte { return flipped(30)(whole[n]) },
		"its beginning":  func(n string) []byte { return flipped(300)(whole[n]) },
		"its middle":     func(n string) []byte { return flipped(100_000)(whole[n]) },
		"its end":        func(n string) []byte { return flipped(-1)(whole[n]) },
		"cut":            func(n string) []byte { return whole[n][:len(whole[n])-1] },
		"cut at a chunk": func(n string) []byte { return whole[n][:len(whole[n])-3000] },
		"empty":          func(string) []byte { return nil },
		"more":           func(n string) []byte { return append(slices.Clone(whole[n]), 0) },
		"another's":      func(n string) []byte { return other[n] },
	} {
		for _, name := range names {
			l.WriteBlob(name, alter(name))
		}
		for _, m := range []*member{first, second} {
			l.damaged(what, m.token)
		}
		for _, name := range names {
			l.WriteBlob(name, whole[name])
		}
		l.kept(t, "put back after "+what, first.token, content)
	}
	for _, name := range names {
		l.RemoveBlob(name)
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
