package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// The answers of the process.
const (
	done   = 0
	failed = 1
	misled = 2 // the command line or the settings made no sense
)

// program is one run of caesar, with all that it has of the outside, so that a test can start it too.
type program struct {
	environ        []string // as os.Environ returns it
	stdout, stderr io.Writer
}

// Run does what the arguments ask, until it is done or ctx is; it returns the answer of the process.
func (p *program) Run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return done
	}
	p.tell(err)
	if _, ok := errors.AsType[*usageError](err); ok {
		_, _ = fmt.Fprintln(p.stderr, phrase.CLITryHelp.With(ran.CommandPath()).In(p.language()))
		return misled
	}
	if errors.Is(err, fault.New(fault.Invalid, "invalid", phrase.SettingsWrong)) {
		return misled
	}
	return failed
}

// usageError is a command line that makes no sense.
type usageError struct{ cause error }

func (e *usageError) Error() string { return e.cause.Error() }
func (e *usageError) Unwrap() error { return e.cause }

// tell says what went wrong: a line, and one more for each field that is at fault.
func (p *program) tell(err error) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		_, _ = fmt.Fprintln(p.stderr, "caesar: "+err.Error())
		return
	}
	said := "caesar: " + f.Message.In(p.language())
	if cause := errors.Unwrap(f); cause != nil { // which clients are not told
		said += ": " + oneLine(cause)
	}
	_, _ = fmt.Fprintln(p.stderr, said)
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		_, _ = fmt.Fprintf(p.stderr, "  %s: %s\n", name, f.Fields[name].In(p.language()))
	}
}

// language is that of the terminal: Chinese where the locale says so, as POSIX orders its variables.
func (p *program) language() phrase.Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		for _, pair := range p.environ {
			if value, ok := strings.CutPrefix(pair, name+"="); ok && value != "" {
				if strings.HasPrefix(value, "zh") {
					return phrase.Chinese
				}
				return phrase.English
			}
		}
	}
	return phrase.English
}

func (p *program) root() *cobra.Command {
	language := p.language()
	root := &cobra.Command{
		Use:           "caesar",
		Short:         phrase.CLIShort.In(language),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{errors.New(phrase.CLINoSuch.With(args[0]).In(language))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.SetUsageFunc(usage(language))
	root.PersistentFlags().BoolP("help", "h", false, phrase.CLIHelp.In(language))
	root.SetHelpCommand(&cobra.Command{
		Use:    "help",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			of, _, err := root.Find(args)
			if err != nil {
				return &usageError{err}
			}
			return of.Help()
		},
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(p.serveCommand(), p.moveCommand(), p.versionCommand())
	return root
}

// noArguments refuses arguments that are no flags.
func (p *program) noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{errors.New(phrase.CLINoArguments.With(args[0]).In(p.language()))}
	}
	return nil
}

// usage tells how a command is used, in the language of the terminal. It is no template, as cobra's own would
// be: what calls methods by their names makes the linker keep all there are.
func usage(language phrase.Language) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %s", phrase.CLIUsage.In(language), cmd.UseLine())
		if cmd.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "\n\n%s:", phrase.CLICommands.In(language))
			for _, sub := range cmd.Commands() {
				if sub.IsAvailableCommand() {
					fmt.Fprintf(&b, "\n  %-*s %s", sub.NamePadding(), sub.Name(), sub.Short)
				}
			}
		}
		if cmd.HasAvailableFlags() {
			flags := strings.TrimRightFunc(cmd.Flags().FlagUsages(), unicode.IsSpace)
			fmt.Fprintf(&b, "\n\n%s:\n%s", phrase.CLIFlags.In(language), flags)
		}
		_, err := fmt.Fprintln(cmd.OutOrStderr(), b.String())
		return err
	}
}
