package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// tested builds ./cmd/caesar as the tests are, and shipped as people get it; each once in each test
// process. They return where it is.
var (
	tested = sync.OnceValues(func() (path string, err error) {
		if raced {
			return build("caesar-race", nil, "-race")
		}
		return build("caesar", nil)
	})
	shipped = sync.OnceValues(func() (path string, err error) {
		return build("caesar-shipped", []string{"CGO_ENABLED=0"}, "-trimpath", "-ldflags", "-s -w")
	})
)

// build builds ./cmd/caesar under a name. It lies in the build folder of the checkout, and is put there by
// a rename: test processes may build and run it side by side.
func build(name string, environ []string, args ...string) (path string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(root, "build", "testbed")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("make build folder: %w", err)
	}
	path = filepath.Join(folder, name)
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	command := exec.Command("go", append(append([]string{"build"}, args...), "-o", fresh, "./cmd/caesar")...)
	command.Dir, command.Env = root, append(os.Environ(), environ...)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build caesar: %w\n%s", err, out)
	}
	return path, os.Rename(fresh, path)
}

// moduleRoot returns the folder of the checkout.
func moduleRoot() (string, error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(gomod))), nil
}
