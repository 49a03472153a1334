package settings

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"caesar/internal/phrase"
)

// parseDatabase checks what can be checked without the driver, which reads the whole of the URL. It is
// libpq's, and names several hosts in ways that package net/url refuses.
func parseDatabase(text string) (Secret, *phrase.Phrase) {
	if text == "" {
		return Secret{}, nil
	}
	wrong := complain(phrase.SettingDatabaseWrong)
	scheme, rest, found := strings.Cut(text, "://")
	if !found || (scheme != "postgres" && scheme != "postgresql") || strings.ContainsAny(text, " \t\r\n\x00") {
		return Secret{}, wrong
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	place, query, _ := strings.Cut(rest, "?")
	hosts, _, _ := strings.Cut(place, "/")
	parameters, err := url.ParseQuery(query)
	named := !slices.ContainsFunc(strings.Split(hosts, ","), func(host string) bool { return host == "" || host[0] == ':' }) ||
		(hosts == "" && parameters.Get("host") != "")
	// A @ that is left over ends a password with something in it that should have been encoded.
	if err != nil || !named || strings.Contains(place, "@") {
		return Secret{}, wrong
	}
	return NewSecret(text), nil
}

// parseBlobs checks what can be checked without package blob, which reads the whole of the URL.
func parseBlobs(text string) (Secret, *phrase.Phrase) {
	if text == "" {
		return Secret{}, nil
	}
	wrong := complain(phrase.SettingBlobsWrong)
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "s3" && u.Scheme != "s3+http") || u.Hostname() != u.Host || u.Host == "" || u.Fragment != "" {
		return Secret{}, wrong
	}
	parameters, err := url.ParseQuery(u.RawQuery)
	if err != nil || (u.Scheme == "s3+http" && parameters.Get("endpoint") == "") {
		return Secret{}, wrong
	}
	return NewSecret(text), nil
}

// InDataFolder reports whether something lies in the data folder that no other server may touch: the
// database, the backups or the outbox. Keys may be shared.
func (s *Settings) InDataFolder() bool {
	return s.Database.Reveal() == "" || s.Blobs.Reveal() == "" || s.SMTP.Reveal() == ""
}

// derive fills in what follows from other settings.
func (s *Settings) derive() {
	if s.RootKeyFile == "" {
		s.RootKeyFile = filepath.Join(s.Data, "keys", "root.key")
	}
	if s.BackupKeyFile == "" {
		s.BackupKeyFile = filepath.Join(s.Data, "keys", "backup.age")
	}
}
