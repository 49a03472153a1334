// Command large does what package movetest does for tests that look for races: SQLite runs in the process, and
// takes twenty times as long where every access to memory is looked at. It is built without that.
//
//	large fill FOLDER PEOPLE ITEMS VERSIONS LARGE LARGEBYTES
//	large compare FOLDER
//
// The second finds the PostgreSQL database by CAESAR_DATABASE, and writes a line for each table: its name and
// how many rows it has.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"

	"caesar/internal/sqlstore/sqlmove/movetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	c := &command{ctx: ctx}
	c.run(os.Args[1:])
	stop()
	if c.failed {
		os.Exit(1)
	}
}

// command is one run, as movetest sees a test.
type command struct {
	ctx    context.Context //nolint:containedctx // as testing.TB has it
	failed bool
}

var _ movetest.Test = (*command)(nil)

func (c *command) run(args []string) {
	switch {
	case len(args) == 7 && args[0] == "fill":
		var numbers []int
		for _, text := range args[2:] {
			n, err := strconv.Atoi(text)
			if err != nil {
				c.Fatal(err)
			}
			numbers = append(numbers, n)
		}
		movetest.Fill(c, args[1], movetest.Folder{People: numbers[0], Items: numbers[1], Versions: numbers[2], Large: numbers[3], LargeBytes: numbers[4]})
	case len(args) == 2 && args[0] == "compare":
		rows := movetest.Compare(c, args[1], os.Getenv("CAESAR_DATABASE"))
		tables := make([]string, 0, len(rows))
		for table := range rows {
			tables = append(tables, table)
		}
		slices.Sort(tables)
		for _, table := range tables {
			_, _ = fmt.Fprintln(os.Stdout, table, rows[table])
		}
	default:
		c.Fatalf("large cannot do %q", args)
	}
}

// Helper implements movetest.Test.
func (c *command) Helper() {}

// Context implements movetest.Test.
func (c *command) Context() context.Context { return c.ctx }

// Error implements movetest.Test.
func (c *command) Error(args ...any) {
	c.failed = true
	fmt.Fprintln(os.Stderr, args...)
}

// Errorf implements movetest.Test.
func (c *command) Errorf(format string, args ...any) { c.Error(fmt.Sprintf(format, args...)) }

// Fatal implements movetest.Test.
func (c *command) Fatal(args ...any) {
	c.Error(args...)
	os.Exit(1)
}

// Fatalf implements movetest.Test.
func (c *command) Fatalf(format string, args ...any) { c.Fatal(fmt.Sprintf(format, args...)) }
