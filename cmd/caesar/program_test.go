package main

import (
	"context"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"caesar/internal/phrase"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"caesar": main})
}

// The command line, as people type it: each script in testdata is a session at a terminal.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true})
}

// lines passes on what is written to it, for a test that waits for a word.
type lines chan string

func (l lines) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

func TestServingEndsWithItsContextAndSaysFirstWhereItListens(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logged := make(lines, 100)
	answer := make(chan int, 1)
	folder := t.TempDir()
	go func() {
		p := &program{stdout: logged, stderr: logged}
		answer <- p.Run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--data", folder})
	}()
	select {
	case first := <-logged:
		if !strings.Contains(first, "msg=listening url=http://127.0.0.1:") || !strings.Contains(first, "data="+folder) {
			t.Errorf("the first line is %q", first)
		}
	case got := <-answer:
		t.Fatalf("serve answered %d before it listened", got)
	}
	stop()
	if got := <-answer; got != done {
		t.Errorf("the answer is %d", got)
	}
}

func TestTheTerminalsLanguageIsThatOfItsLocale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environ []string
		want    phrase.Language
	}{
		{nil, phrase.English},
		{[]string{"LANG=zh_CN.UTF-8"}, phrase.Chinese},
		{[]string{"LANG=zh_CN.UTF-8", "LC_ALL=C.UTF-8"}, phrase.English},
		{[]string{"LANG=de_DE.UTF-8", "LC_MESSAGES=zh_TW"}, phrase.Chinese},
		{[]string{"LC_ALL=", "LANG=zh_CN"}, phrase.Chinese},
	} {
		if got := (&program{environ: c.environ}).language(); got != c.want {
			t.Errorf("%v: %s", c.environ, got.Tag())
		}
	}
}
