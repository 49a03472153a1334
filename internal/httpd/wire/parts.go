package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/textproto"
	"strings"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// Bounds of what package multipart takes too.
const (
	maxDelimiterLine = 4096  // bytes of a line before, between and after parts
	maxHeaderLines   = 10000 // of one part
)

// Faults of parts. What was sent is not quoted, as the log would keep it.
var (
	errParts  = malformed(phrase.BodyNotForm, errors.New("read parts of the body"))
	errAround = fault.New(fault.TooLarge, "too_large", phrase.AroundTheFile.With(MaxAround))
)

// parts reads the parts of a multipart body (RFC 2046, section 5.1.1), one after another. It takes what
// mime/multipart takes, but hands out the content of a part in pieces as large as its buffer holds, and
// refuses every body that ends before its last delimiter.
//
// A delimiter is a line break and, at the beginning of the next line, two hyphens and the boundary. The
// line break belongs to it, not to the content before. The first delimiter of a body may stand at its very
// start; that of a part without content right after the part's header. Where the line of the first one
// ends in a bare LF, all delimiters are told by bare LFs.
type parts struct {
	in        *bufio.Reader
	around    int64  // bytes that may still come beside content that is read
	delimiter []byte // with its line break
	breaks    int    // how many of its bytes are the line break
	finder    finder // of it, from the first part on

	begun bool // the first part has begun
	fresh bool // none of the part's content was found yet
	ready int  // bytes at the start of the buffer that are content
	ended bool // the part ends after them
}

func newParts(body *bufio.Reader, boundary string, around int64) (*parts, error) {
	if boundary == "" || len(boundary) > 70 { // RFC 2046, section 5.1.1
		return nil, malformed(phrase.BodyNotForm, nil)
	}
	return &parts{in: body, around: around, delimiter: []byte("\r\n--" + boundary), breaks: 2, ended: true}, nil
}

// Read reads the content of the part that nextHeader came to. A body that ends within it is
// io.ErrUnexpectedEOF; io.EOF is the end of the part.
func (p *parts) Read(to []byte) (int, error) {
	if err := p.find(); err != nil {
		return 0, err
	}
	n, err := p.in.Read(to[:min(len(to), p.ready)])
	p.ready -= n
	return n, err
}

// find makes sure that content is ready.
func (p *parts) find() error {
	for p.ready == 0 {
		if p.ended {
			return io.EOF
		}
		held, _ := p.in.Peek(p.in.Buffered())
		if p.ready, p.ended = p.scan(held); p.ready > 0 {
			p.fresh = false
		} else if !p.ended {
			if _, err := p.in.Peek(len(held) + 1); err == io.EOF { // wrapped, it is a fault of the connection
				return io.ErrUnexpectedEOF
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// scan returns how many bytes at the start of what is held are content for certain, and whether the part
// ends after them. It leaves what the next bytes may make a delimiter, which is shorter than a hundred.
func (p *parts) scan(held []byte) (content int, ended bool) {
	if p.fresh {
		bare := p.delimiter[p.breaks:]
		if len(held) < len(bare) && bytes.HasPrefix(bare, held) {
			return 0, false
		}
		if after, found := bytes.CutPrefix(held, bare); found {
			if ended, certain := delimits(after); ended || !certain {
				return 0, ended
			}
			content = len(bare)
		}
	}
	for {
		i := p.finder.index(held[content:])
		if i < 0 {
			break
		}
		content += i
		if ended, certain := delimits(held[content+len(p.delimiter):]); ended || !certain {
			return content, ended
		}
		content += len(p.delimiter)
	}
	tail := max(content, len(held)-len(p.delimiter)+1)
	if i := bytes.LastIndexByte(held[tail:], p.delimiter[0]); i >= 0 && bytes.HasPrefix(p.delimiter, held[tail+i:]) {
		return tail + i, false
	}
	return len(held), false
}

// delimits says by what follows a boundary whether it ends a part: blanks, a line break, or the two hyphens
// of the last one do. Otherwise it is content that only looks like one, as the boundary "xx" does in "--xxx".
func delimits(after []byte) (yes, certain bool) {
	switch {
	case len(after) == 0 || len(after) == 1 && after[0] == '-':
		return false, false
	case after[0] == '-':
		return after[1] == '-', true
	}
	return strings.IndexByte(" \t\r\n", after[0]) >= 0, true
}

// nextHeader goes on to the next part, past what is left of this one, and returns its header. After the
// last one it is io.EOF itself; any other error is a fault.
func (p *parts) nextHeader() (textproto.MIMEHeader, error) {
	if err := p.skip(); err != nil {
		return nil, err
	}
	for broken := false; ; {
		line, err := p.in.ReadSlice('\n')
		if len(line) > maxDelimiterLine {
			return nil, errParts
		}
		if !p.take(len(line)) {
			return nil, errAround
		}
		lineBreak := p.delimiter[:p.breaks]
		boundary, ok := bytes.CutPrefix(line, p.delimiter[p.breaks:])
		last, isLast := bytes.CutPrefix(boundary, []byte("--"))
		rest := bytes.TrimLeft(boundary, " \t")
		last = bytes.TrimLeft(last, " \t")
		switch {
		case ok && isLast && (bytes.Equal(last, lineBreak) || err == io.EOF && len(last) == 0):
			return nil, io.EOF
		case err != nil:
			return nil, errParts
		case ok && !p.begun && string(rest) == "\n":
			p.delimiter, p.breaks = p.delimiter[1:], 1
			return p.header()
		case ok && bytes.Equal(rest, lineBreak):
			return p.header()
		case !p.begun: // the preamble
		case !broken && bytes.Equal(line, lineBreak):
			broken = true
		default:
			return nil, errParts
		}
	}
}

// skip passes over what is left of the part.
func (p *parts) skip() error {
	for {
		err := p.find()
		if err == io.EOF { //nolint:errorlint // wrapped, it is a fault of the connection
			return nil
		}
		if err != nil {
			return errParts
		}
		n, _ := p.in.Discard(p.ready)
		p.ready -= n
		if !p.take(n) {
			return errAround
		}
	}
}

// header reads the header of a part: lines up to an empty one.
func (p *parts) header() (textproto.MIMEHeader, error) {
	if !p.begun {
		p.begun, p.finder = true, newFinder(p.delimiter)
	}
	p.fresh, p.ended = true, false
	var lines bytes.Buffer
	whole := true // the line before was read to its end
	for range maxHeaderLines {
		line, err := p.in.ReadSlice('\n')
		if !p.take(len(line)) {
			return nil, errAround
		}
		if err != nil && err != bufio.ErrBufferFull { //nolint:errorlint // never wrapped
			return nil, errParts
		}
		lines.Write(line)
		if whole && (string(line) == "\n" || string(line) == "\r\n") {
			header, err := textproto.NewReader(bufio.NewReader(&lines)).ReadMIMEHeader()
			if err != nil {
				return nil, errParts
			}
			return header, nil
		}
		whole = err == nil
	}
	return nil, errParts
}

// end passes over what comes after the last part, to the end of the body.
func (p *parts) end() error {
	for {
		n, err := p.in.Discard(max(1, p.in.Buffered()))
		if !p.take(n) {
			return errAround
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errNotWhole.Because(err)
		}
	}
}

// take counts bytes beside content that is read, and says whether there may be so many.
func (p *parts) take(n int) bool {
	p.around -= int64(n)
	return p.around >= 0
}
