package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"caesar/internal/fault"
	"caesar/internal/phrase"
	"caesar/internal/settings"
	"caesar/internal/sqlstore"
	"caesar/internal/sqlstore/sqlmove"
)

// moveFlags are the flags of caesar move that are settings of caesar serve under another name, or the same.
var moveFlags = []struct {
	name, setting string
	help          phrase.Phrase
}{
	{"from-data", "data", phrase.MoveFromData},
	{"to-database", "database", phrase.MoveToDatabase},
	{"to-database-file", "database-file", phrase.SettingFromFile.With("to-database")},
	{"to-blobs", "blobs", phrase.MoveToBlobs},
	{"to-blobs-file", "blobs-file", phrase.SettingFromFile.With("to-blobs")},
	{"config", "config", phrase.SettingConfig},
}

func (p *program) moveCommand() *cobra.Command {
	language := p.language()
	var despiteMissing, undo bool
	cmd := &cobra.Command{
		Use:   "move",
		Short: phrase.CLIMove.In(language),
		Long:  phrase.CLIMove.In(language) + "\n\n" + phrase.CLIMoveMore.In(language),
		Args:  p.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.moveSettings(given(cmd.Flags()), !undo)
			if err != nil {
				return err
			}
			if undo {
				return p.undoMove(cmd.Context(), s)
			}
			return p.move(cmd.Context(), s, despiteMissing)
		},
	}
	cmd.Flags().SortFlags = false
	for _, f := range moveFlags {
		for _, of := range settings.Flags() {
			if of.Name == f.setting {
				cmd.Flags().Var(&flagValue{text: of.Default, looks: of.Value}, f.name, f.help.In(language))
			}
		}
	}
	cmd.Flags().BoolVar(&despiteMissing, "despite-missing", false, phrase.MoveDespiteMissing.In(language))
	cmd.Flags().BoolVar(&undo, "undo", false, phrase.MoveUndo.In(language))
	return cmd
}

// moveSettings reads the settings as caesar serve would that is to run on the target, but for the data
// folder, which is the one to move from. What is at fault is named as it was said. A target is demanded where
// there has to be one.
func (p *program) moveSettings(flags map[string]string, target bool) (*settings.Settings, error) {
	asServe := map[string]string{}
	for _, f := range moveFlags {
		if value, ok := flags[f.name]; ok {
			asServe[f.setting] = value
		}
	}
	s, err := settings.Load(asServe, p.environ)
	if err != nil {
		return nil, renamed(err)
	}
	if target && s.Database.Reveal() == "" {
		wrong := fault.New(fault.Invalid, "invalid", phrase.SettingsWrong)
		wrong.Fields = fault.Fields{"--to-database": phrase.MoveNoTarget}
		return nil, wrong
	}
	_, err = checkPlaces(s)
	return s, err
}

// renamed lays faults at the flags of caesar move.
func renamed(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	fields := fault.Fields{}
	for name, wrong := range f.Fields {
		for _, flag := range moveFlags {
			if name != "--"+flag.setting {
				continue
			}
			if name = "--" + flag.name; wrong.Is(phrase.SettingBoth) {
				wrong = phrase.SettingBoth.With(strings.TrimSuffix(name, "-file"))
			}
			break
		}
		fields[name] = wrong
	}
	f.Fields = fields
	return f
}

// move moves the data folder of the settings to their database and bucket.
func (p *program) move(ctx context.Context, s *settings.Settings, despiteMissing bool) (err error) {
	release, err := claimSource(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	show := newProgress(p.stderr, p.language())
	if at, err := placeOf(s.Database.Reveal()); err == nil && at.inClear {
		show.say(phrase.MoveInClear.With(at))
	}
	rows, err := sqlmove.Open(ctx, databaseFile(s), s.Database.Reveal())
	if err != nil {
		return broken(ctx, err, phrase.MoveNotBegun)
	}
	defer func() { _ = rows.Close() }() // what was done is committed
	m := &mover{
		rows: rows, settings: s, despiteMissing: despiteMissing,
		language: p.language(), out: p.stdout, progress: show,
	}
	if rows.Finished() {
		return m.again(ctx)
	}
	if err := m.prepare(ctx); err != nil {
		return broken(ctx, err, phrase.MoveNotBegun)
	}
	if err := m.run(ctx); err != nil {
		return broken(ctx, err, phrase.MoveBroken)
	}
	return m.sayMoved()
}

// claimSource keeps servers off the data folder to move from, in which there must be a database.
func claimSource(s *settings.Settings) (release func() error, err error) {
	if _, err := os.Stat(databaseFile(s)); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "no_source", phrase.MoveNoSource.With(s.Data))
	}
	if release, err = claim(s.Data); err != nil {
		return nil, fault.New(fault.Conflict, "source_served", phrase.MoveClaimed).Because(err)
	}
	return release, nil
}

// broken says what an error means for the move, unless the error says so itself.
func broken(ctx context.Context, err error, means phrase.Phrase) error {
	if ctx.Err() != nil {
		return fault.New(fault.Unavailable, "move_stopped", phrase.MoveStopped)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && (f.Kind == fault.Conflict || f.Kind == fault.NotFound) {
		return f
	}
	return fault.New(fault.Unavailable, "move_broken", means).Because(err)
}

// refuseUnfinished refuses a database into which not all rows have been moved.
func refuseUnfinished(ctx context.Context, store *sqlstore.Store) error {
	unfinished, err := store.Moving(ctx)
	if unfinished {
		return sqlstore.ErrMoving
	}
	return err
}
