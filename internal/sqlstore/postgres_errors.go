package sqlstore

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// The codes of errors of PostgreSQL that are told apart (its documentation, appendix A). Of those that end
// with a class, the first two letters count.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	readOnlyTransaction  = "25006"
	diskFull             = "53100"
	connectionClass      = "08"
	resourcesClass       = "53" // too many connections, out of memory, disk full
	operatorClass        = "57" // shut down, starting up, cancelled
	lockNotAvailable     = "55P03"
)

var (
	// errReadOnly says that the database follows another one.
	errReadOnly = errors.New("the database takes no writes: it follows another one, or was set so")
	// errRolledBack says that a transaction which was to be committed had failed before.
	errRolledBack = errors.New("the database undid the transaction")
)

// comeAgain is when a client is told to come again while the database is away: a restart takes seconds.
const comeAgain = 2 * time.Second

func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// isOutrun says whether a transaction failed for what another did at the same moment.
func isOutrun(err error) bool {
	c := code(err)
	return errors.Is(err, errOutrun) || c == serializationFailure || c == deadlockDetected
}

// isSettled says whether a COMMIT that failed left nothing for sure: the database said so, and did not do so
// because it was ending the connection, which it may also do once all is committed here and a standby is
// waited for.
func isSettled(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return errors.Is(err, errRolledBack) || (ok && e.SeverityUnlocalized == "ERROR")
}

// isLost says whether a connection broke, was ended by the database, or leads to one that takes no writes
// any more. A connection that could not be made is none that was lost.
func isLost(err error) bool {
	if err == nil || isRefused(err) {
		return false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.SeverityUnlocalized == "FATAL" || e.SeverityUnlocalized == "PANIC" ||
			strings.HasPrefix(e.Code, connectionClass) || e.Code == readOnlyTransaction
	}
	broken, ok := errors.AsType[net.Error](err)
	return errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		(ok && !broken.Timeout())
}

func isRefused(err error) bool {
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	return refused
}

// explainPostgres explains errors of PostgreSQL, and of the way to it.
func explainPostgres(err error) error {
	c := code(err)
	switch {
	case errors.Is(err, puddle.ErrClosedPool):
		return errClosed.Because(err)
	case c == diskFull:
		return fault.New(fault.Full, "full", phrase.StorageFull).Because(err)
	case isOutrun(err), isLost(err), isRefused(err), errors.Is(err, errReadOnly),
		c == lockNotAvailable, strings.HasPrefix(c, resourcesClass), strings.HasPrefix(c, operatorClass),
		c == "" && (errors.Is(err, context.DeadlineExceeded) || isNetwork(err)):
		return fault.New(fault.Unavailable, "unavailable", phrase.DatabaseBusy).After(comeAgain).Because(err)
	}
	return err
}

func isNetwork(err error) bool {
	_, is := errors.AsType[net.Error](err)
	return is
}
