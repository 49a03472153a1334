package testbed

import (
	"bytes"
	"regexp"
	"sync"
)

// listens finds the line that tells where the program listens, in either form of the log.
var listens = regexp.MustCompile(`(?:msg=listening url=|"msg":"listening","url":")(http://[^\s"]+)[\s"]`)

// log keeps what a program writes, and finds in it where it listens.
type log struct {
	mu        sync.Mutex
	text      bytes.Buffer
	found     bool
	listening chan string // receives the URL, once
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(p)
	if !l.found {
		if match := listens.FindSubmatch(l.text.Bytes()); match != nil {
			l.found = true
			l.listening <- string(match[1])
		}
	}
	return n, err
}

// String returns what was written so far.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
