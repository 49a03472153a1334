package sqlmove

import "context"

// Readings returns the statements that read a stretch of each table of the source, and how many arguments
// each takes.
func (m *Move) Readings() map[string]int {
	statements := map[string]int{}
	for _, t := range m.tables {
		statements[m.source.reading(&t, t.keyOf(make([]any, len(t.columns))))] = len(t.key)
	}
	return statements
}

// InChunksOf has at most so many rows copied at once, so that little is much to a test.
func (m *Move) InChunksOf(rows int) { m.source.mostRows = rows }

// MarkSource does the first of the two last things that Finish does.
func (m *Move) MarkSource(ctx context.Context) error { return m.markSource(ctx) }
