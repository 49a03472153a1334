package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Built is a program that was built.
type Built struct {
	Path    string
	Size    int64 // bytes
	Version string
}

// PocketBase is the version that bench/pocketbase/go.mod names, built as its makers do, and what fills it.
type PocketBase struct {
	Server Built
	Filler string
}

const pocketBase = "github.com/pocketbase/pocketbase"

// BuildCaesar builds the program of this checkout as it is shipped (see Makefile) into a folder.
func BuildCaesar(ctx context.Context, root, folder string) (Built, error) {
	version, err := run(ctx, root, nil, "git", "describe", "--tags", "--always", "--dirty")
	if err != nil {
		version = "unknown" // the sources may be no clone
	}
	b := Built{Path: filepath.Join(folder, "caesar"), Version: version}
	return b.build(ctx, root, "-s -w -X main.version="+version, "./cmd/caesar")
}

// BuildPocketBase builds PocketBase into a folder: the first time, it fetches its modules and takes minutes.
func BuildPocketBase(ctx context.Context, root, folder string) (PocketBase, error) {
	module := filepath.Join(root, "bench", "pocketbase")
	version, err := run(ctx, module, nil, "go", "list", "-m", "-f", "{{.Version}}", pocketBase)
	if err != nil {
		return PocketBase{}, err
	}
	var p PocketBase
	server := Built{Path: filepath.Join(folder, "pocketbase"), Version: version}
	flags := "-s -w -X " + pocketBase + ".Version=" + strings.TrimPrefix(version, "v")
	if p.Server, err = server.build(ctx, module, flags, pocketBase+"/examples/base"); err != nil {
		return p, err
	}
	filler, err := Built{Path: filepath.Join(folder, "pocketbase-filler")}.build(ctx, module, "-s -w", ".")
	p.Filler = filler.Path
	return p, err
}

// build builds a package of the module in a folder.
func (b Built) build(ctx context.Context, module, flags, name string) (Built, error) {
	_, err := run(ctx, module, []string{"CGO_ENABLED=0", "GOWORK=off"}, "go", "build", "-trimpath", "-ldflags", flags, "-o", b.Path, name)
	if err != nil {
		return b, err
	}
	info, err := os.Stat(b.Path)
	if err != nil {
		return b, fmt.Errorf("build %s: %w", name, err)
	}
	b.Size = info.Size()
	return b, nil
}

// Root returns the folder of the module that this process was started in.
func Root(ctx context.Context) (string, error) {
	gomod, err := run(ctx, "", nil, "go", "env", "GOMOD")
	if err == nil && filepath.Base(gomod) != "go.mod" {
		err = fmt.Errorf("find the sources: this is no folder of a module")
	}
	return filepath.Dir(gomod), err
}

// run runs a program to its end and returns what it wrote, without the last line's end.
func run(ctx context.Context, folder string, environ []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // git and go
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environ...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
