package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"caesar/internal/phrase"
)

// Transport takes mails to where they go.
type Transport interface {
	// Send has handed the mail on, for good, when it returns nil. A *SendError that is Permanent says that
	// trying again is no use; any other error that it may help. Errors name neither the address nor the
	// content. Send may be called by several goroutines at once, and gives up when ctx ends.
	Send(ctx context.Context, from Address, m Rendered) error
}

// SendError tells what came of an attempt, in words that are fit for a log: Cause is never what a mail
// server wrote, for servers repeat addresses, but only what went wrong on the way to it.
type SendError struct {
	Stage     string // what was being done, such as "connect" or "RCPT"
	Code      int    // the server's reply (RFC 5321, section 4.2), or 0 where it gave none
	Permanent bool   // trying again is no use
	Cause     error  // nil where Code says it all
}

// Error implements error.
func (e *SendError) Error() string {
	s := "send mail: " + e.Stage
	if e.Code != 0 {
		s = fmt.Sprintf("%s: the server answered %d", s, e.Code)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Cause }

func isPermanent(err error) bool {
	var failure *SendError
	return errors.As(err, &failure) && failure.Permanent
}

// compose writes a mail as RFC 5322 has it, text and HTML side by side.
func compose(from Address, m Rendered, encoding gomail.Encoding) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithEncoding(encoding), gomail.WithNoDefaultUserAgent(),
		gomail.WithBoundary("part-"+m.ID))
	if err := msg.FromFormat(phrase.MailSenderLabel.In(m.Language), from.String()); err != nil {
		return nil, errors.New("compose mail: sender refused") // without the cause, which repeats it
	}
	if err := msg.To(m.To.String()); err != nil {
		return nil, errors.New("compose mail: recipient refused")
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Date)
	msg.SetMessageIDWithValue(m.ID + "@" + from.domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	msg.SetGenHeader(gomail.HeaderContentLang, m.Language.Tag())
	// The library writes bodies that need no encoding as they come, and a mail has no bare line feeds.
	msg.SetBodyString(gomail.TypeTextPlain, strings.ReplaceAll(m.Text, "\n", "\r\n"))
	msg.AddAlternativeString(gomail.TypeTextHTML, strings.ReplaceAll(m.HTML, "\n", "\r\n"))
	return msg, nil
}
