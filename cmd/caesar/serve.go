package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"caesar/internal/phrase"
	"caesar/internal/settings"
)

func (p *program) serveCommand() *cobra.Command {
	language := p.language()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: phrase.CLIServe.In(language),
		Long:  phrase.CLIServe.In(language) + "\n\n" + phrase.CLIServeMore.In(language),
		Args:  p.noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.serve(cmd.Context(), given(cmd.Flags()))
		},
	}
	cmd.Flags().SortFlags = false
	for _, f := range settings.Flags() {
		cmd.Flags().Var(&flagValue{text: f.Default, looks: f.Value}, f.Name, f.Help.In(language))
	}
	return cmd
}

// flagValue is the text of a flag; package settings reads it.
type flagValue struct{ text, looks string }

// Set implements pflag.Value.
func (v *flagValue) Set(text string) error { v.text = text; return nil }

// String implements pflag.Value.
func (v *flagValue) String() string { return v.text }

// Type implements pflag.Value: what --help shows in the place of the value.
func (v *flagValue) Type() string { return v.looks }

// given returns the flags that were given, by name.
func given(flags *pflag.FlagSet) map[string]string {
	values := map[string]string{}
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "help" {
			values[f.Name] = f.Value.String()
		}
	})
	return values
}

// serve runs the server until ctx is done, and then lets the requests under way finish.
func (p *program) serve(ctx context.Context, flags map[string]string) error {
	s, err := settings.Load(flags, p.environ)
	if err != nil {
		return err
	}
	log := p.logger(s)
	a, err := wire(ctx, s, log)
	if err != nil {
		return err
	}
	log.Info("listening", "url", a.url, "data", a.data, "database", a.database, "blobs", a.blobs, "mails", a.mails)
	if !s.Captcha {
		log.Warn("the captcha is off: whoever reaches this server can register as fast as it answers")
	}
	err = a.run(ctx)
	log.Info("stopped")
	return err
}

func (p *program) logger(s *settings.Settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogJSON {
		return slog.New(slog.NewJSONHandler(p.stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.stderr, options))
}
