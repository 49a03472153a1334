package wire

import (
	"net/http"
	"time"
)

// stall is how long a peer may keep a stream standing still, and moveEvery how often its deadline is moved
// while it does not.
const (
	stall     = 60 * time.Second
	moveEvery = 5 * time.Second
)

// pace moves the deadlines of a connection along with what flows, so that a stream may take hours but
// stand still for a minute at most. Where there are no deadlines to move, as in tests, it does nothing.
type pace struct {
	control *http.ResponseController
	moved   time.Time
}

func newPace(w http.ResponseWriter) *pace {
	return &pace{control: http.NewResponseController(w)}
}

// reading is to be called before each read of the body.
func (p *pace) reading() {
	if now := time.Now(); now.Sub(p.moved) >= moveEvery {
		p.moved = now
		_ = p.control.SetReadDeadline(now.Add(stall))
	}
}

// writing is to be called before each write of the answer.
func (p *pace) writing() {
	if now := time.Now(); now.Sub(p.moved) >= moveEvery {
		p.moved = now
		_ = p.control.SetWriteDeadline(now.Add(stall))
	}
}

// quiet lets the client say nothing, now that it has said all: the server still listens for its hanging
// up, and would take a deadline for that.
func (p *pace) quiet() { _ = p.control.SetReadDeadline(time.Time{}) }

// ExtendWriting gives an answer that comes after a long upload the time that any has.
func ExtendWriting(w http.ResponseWriter) { newPace(w).writing() }
