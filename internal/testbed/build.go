package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// program builds ./cmd/caesar, once in each test process, and returns where it is. It lies in the build
// folder of the checkout, and is put there by a rename: test processes may build and run it side by side.
var program = sync.OnceValues(func() (path string, err error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(gomod)))
	folder := filepath.Join(root, "build", "testbed")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("make build folder: %w", err)
	}
	name, args := "caesar", []string{"build"}
	if raced {
		name, args = "caesar-race", append(args, "-race")
	}
	path = filepath.Join(folder, name)
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	build := exec.Command("go", append(args, "-o", fresh, "./cmd/caesar")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build caesar: %w\n%s", err, out)
	}
	return path, os.Rename(fresh, path)
})
