package sqlstore

// runner runs statements: on a pool, or within a transaction.
type runner interface {
	// row reads one row into dest; an error that is sql.ErrNoRows where there is none.
	row(query string, args []any, dest ...any) error
	// rows calls scan for every row.
	rows(query string, args []any, scan func(scanner) error) error
	// exec runs a statement and returns how many rows it changed.
	exec(query string, args ...any) (changed int64, err error)
	// later runs a statement whose answer nobody waits for, at the latest when the transaction is
	// committed: where it fails, so does that.
	later(query string, args ...any) error
}

// scanner is one row of an answer.
type scanner interface{ Scan(dest ...any) error }

// querier reads what is committed, or reads and writes within a transaction. Both engines take the same
// statements, but for the words in which they differ.
type querier struct {
	runner
	*words
}

// tx is the transaction that is being written.
type tx = querier

// words are where the engines' languages differ.
type words struct {
	// position is the function that tells where in a text another one begins, 0 for nowhere.
	position string
	// number ends a placeholder that bounds LIMIT or OFFSET.
	number string
	// nextID is the statement that returns the id which the next row of a table gets, and takes it. Ids
	// rise and are never given twice, also not after the newest row was deleted.
	nextID string

	// Locks. PostgreSQL runs transactions side by side, so what a decision rests on is locked before it
	// is looked at; SQLite writes one transaction after the other, and has none of these words.
	forUpdate  string // ends a SELECT whose rows are decided upon
	forShare   string // ends a SELECT whose rows must not be deleted while this lasts
	skipLocked string // ends a SELECT that leaves rows to others who decide upon them
	lockUser   string // the statement that locks a user, and with it all that is the user's
	lockBucket string // the statement that locks a bucket of the throttle, also one that is not there yet
}

// lockOwner keeps all other writes of a user's data waiting until this transaction ends. Nothing happens
// where there is no such user.
func (q *querier) lockOwner(userID int64) error {
	if q.lockUser == "" {
		return nil
	}
	return q.later(q.lockUser, userID)
}

// list makes the arguments of row and rows read well.
func list(args ...any) []any { return args }
