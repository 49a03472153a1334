package settings_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"caesar/internal/settings"
)

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	secret := settings.NewSecret(value)
	hidden := struct{ inner settings.Secret }{secret} // fmt calls no methods on a field that is not exported
	s := load(t, nil, "CAESAR_SMTP=smtp://ada:"+value+"@mail.example.org",
		"CAESAR_DATABASE=postgres://ada:"+value+"@db.example.org/x", "CAESAR_BLOBS=s3://ada:"+value+"@bucket")

	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&printed, verb+verb+verb+verb+"\n", secret, &secret, hidden, s)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("settings", "secret", secret, "all", s, "hidden", hidden)
	}
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(encoded)

	for _, form := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value)} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("the secret was printed:\n%s", printed.String())
		}
	}
	if !strings.Contains(string(encoded), `"SMTP":"[redacted]"`) || secret.Reveal() != value {
		t.Errorf("%s", encoded)
	}
}

func TestNoSecretPrintsAsNothing(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(settings.NewSecret("")); got != "" {
		t.Errorf("%q", got)
	}
}
