package peer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrAbsent says that a peer is not installed here.
var ErrAbsent = errors.New("not installed")

// StartCaesar starts Caesar with its default settings on a data folder, but without the captcha, which no
// client of a benchmark can read. The database is the folder's own where no URL of another is given.
func StartCaesar(ctx context.Context, program, folder, database string) (*Process, error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	environ := []string{"CAESAR_CAPTCHA=off"}
	if database != "" {
		environ = append(environ, "CAESAR_DATABASE="+database)
	}
	return Start(ctx, Command{
		Name: "Caesar", Path: program, Args: []string{"serve", "--listen", address, "--data", folder},
		Environ: environ, Address: address, Ready: "/readyz", Log: folder + ".log",
	})
}

// StartPocketBase starts PocketBase with its default settings on a data folder. What it puts aside of uploads
// is put beside that.
func StartPocketBase(ctx context.Context, program, folder string) (*Process, error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	aside := folder + ".tmp"
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of PocketBase: %w", err)
	}
	return Start(ctx, Command{
		Name: "PocketBase", Path: program, Args: []string{"serve", "--http", address, "--dir", folder}, Environ: []string{"TMPDIR=" + aside},
		Address: address, Ready: "/api/health", Log: folder + ".log",
	})
}

// StartPlain starts the plain server of this program (see bench/plain) on a folder for files.
func StartPlain(ctx context.Context, folder string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	return Start(ctx, Command{
		Name: "the plain server", Path: self, Args: []string{"plain", address, folder}, Address: address, Ready: "/answer/1",
		Log: folder + ".log",
	})
}

// StartNginx starts nginx on a folder, whose files it sends from below /files/. ErrAbsent where there is no
// nginx.
func StartNginx(ctx context.Context, folder, work string) (*Process, error) {
	program, err := nginx()
	if err != nil {
		return nil, err
	}
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(work, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of nginx: %w", err)
	}
	config := filepath.Join(work, "nginx.conf")
	if err := os.WriteFile(config, []byte(nginxConfig(address, folder, work)), 0o600); err != nil {
		return nil, fmt.Errorf("configure nginx: %w", err)
	}
	return Start(ctx, Command{
		Name: "nginx", Path: program, Args: []string{"-c", config, "-e", filepath.Join(work, "error.log")}, Address: address, Ready: "/",
		Log: filepath.Join(work, "output.log"),
	})
}

// nginxConfig is that of Debian's package as far as it bears on sending files, but that connections are kept
// for longer than a thousand requests, as the other servers keep them.
func nginxConfig(address, folder, work string) string {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	return user + `daemon off;
worker_processes auto;
pid ` + filepath.Join(work, "pid") + `;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	types_hash_max_size 2048;
	default_type application/octet-stream;
	access_log ` + filepath.Join(work, "access.log") + `;
	client_body_temp_path ` + filepath.Join(work, "body") + `;
	proxy_temp_path ` + filepath.Join(work, "proxy") + `;
	fastcgi_temp_path ` + filepath.Join(work, "fastcgi") + `;
	uwsgi_temp_path ` + filepath.Join(work, "uwsgi") + `;
	scgi_temp_path ` + filepath.Join(work, "scgi") + `;
	server {
		listen ` + address + `;
		location = / { return 200 "ready"; }
		location /files/ { alias ` + folder + `/; }
	}
}
`
}

// NginxVersion returns the version of the nginx that is installed, or ErrAbsent.
func NginxVersion(ctx context.Context) (string, error) {
	program, err := nginx()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, program, "-v").CombinedOutput() //nolint:gosec // found by nginx
	if err != nil {
		return "", fmt.Errorf("ask nginx for its version: %w", err)
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(out)), "nginx/") // nginx version: nginx/1.22.1
	return version, nil
}

// nginx finds nginx, which Debian keeps where only root's path leads.
func nginx() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("nginx: %w", ErrAbsent)
}

// PostgresVersion returns the version of the server that runs as a process.
func PostgresVersion(ctx context.Context, pid int) (string, error) {
	program, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL: %w", err)
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output() //nolint:gosec // the one that runs already
	if err != nil {
		return "", fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	_, version, found := strings.Cut(strings.TrimSpace(string(out)), "(PostgreSQL) ") // postgres (PostgreSQL) 15.18
	if !found {
		return "", fmt.Errorf("ask PostgreSQL for its version: %s is another program", program)
	}
	return version, nil
}

// PostgresPID returns the id of the process that has a cluster's folder, from the first line of its file.
func PostgresPID(cluster string) (int, error) {
	text, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("find PostgreSQL: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		return 0, fmt.Errorf("find PostgreSQL: %w", err)
	}
	return pid, nil
}
