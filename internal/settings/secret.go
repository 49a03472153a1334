package settings

import (
	"fmt"
	"log/slog"
)

// Secret is a value that prints as [redacted] wherever it is printed: by fmt with any verb, by slog and
// as JSON. The zero value is no secret at all and prints as nothing.
type Secret struct {
	// value is a pointer so that not even a print by reflection, past the methods below, shows more
	// than an address.
	value *string
}

// NewSecret keeps a value from being printed.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String implements fmt.Stringer without the value.
func (s Secret) String() string {
	if s.value == nil {
		return ""
	}
	return "[redacted]"
}

// Format implements fmt.Formatter, so that no verb reaches the value.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(s.String())) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, and with it the form in JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
