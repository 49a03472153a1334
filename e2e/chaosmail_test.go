package e2e_test

import (
	"io"
	"log"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// heldOffice is a post office that can have letters wait at its counter for a while.
type heldOffice struct {
	postOffice
	gate  sync.Mutex
	held  chan struct{} // nil while nobody has to wait; closed when nobody has to any more
	take  bool          // whether those who waited last were let in
	queue int           // how many wait
}

func holdingOffice(t *testing.T) *heldOffice {
	t.Helper()
	o := &heldOffice{postOffice: postOffice{t: t}}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.addr = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &heldCounter{&counter{office: &o.postOffice, conn: c}, o}, nil
	}))
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = listener.Close(); _ = server.Close() })
	return o
}

// hold has letters wait from now on.
func (o *heldOffice) hold() {
	o.gate.Lock()
	defer o.gate.Unlock()
	o.held = make(chan struct{})
}

// release takes the letters that wait, or sends them away, and takes letters from then on.
func (o *heldOffice) release(take bool) {
	o.gate.Lock()
	defer o.gate.Unlock()
	o.take = take
	close(o.held)
	o.held, o.queue = nil, 0
}

// waiting is how many letters wait.
func (o *heldOffice) waiting() int {
	o.gate.Lock()
	defer o.gate.Unlock()
	return o.queue
}

// enter waits until letters are taken, and says whether this one is.
func (o *heldOffice) enter() bool {
	o.gate.Lock()
	defer o.gate.Unlock()
	held := o.held
	if held == nil {
		return true
	}
	o.queue++
	o.gate.Unlock()
	<-held
	o.gate.Lock()
	return o.take
}

// heldCounter is one connection.
type heldCounter struct {
	*counter
	office *heldOffice
}

// Data implements [smtp.Session].
func (c *heldCounter) Data(r io.Reader) error {
	if !c.office.enter() {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "come again"}
	}
	return c.counter.Data(r)
}
