package vault

import (
	"strings"
	"unicode/utf8"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// The most characters of an item's fields.
const (
	MaxField    = 4096 // name, email, password
	MaxLocation = 512  // platform, url
)

// Plain is an item as its owner reads and writes it.
type Plain struct {
	Name, Email, Password string
	Platform, URL         string
}

// Change is what an edit brings; nil keeps what is there.
type Change struct {
	Name, Email, Password string
	Platform, URL         *string
}

// Check names the fields that can't be kept as they are.
func (p Plain) Check() fault.Fields {
	faults := fault.Fields{}
	checkSecrets(faults, p.Name, p.Email, p.Password)
	checkLine(faults, "platform", p.Platform, MaxLocation)
	requireText(faults, "platform", p.Platform)
	checkLine(faults, "url", p.URL, MaxLocation)
	return faults
}

// Check names the fields that can't be kept as they are.
func (c Change) Check() fault.Fields {
	faults := fault.Fields{}
	checkSecrets(faults, c.Name, c.Email, c.Password)
	if c.Platform != nil {
		checkLine(faults, "platform", *c.Platform, MaxLocation)
		requireText(faults, "platform", *c.Platform)
	}
	if c.URL != nil {
		checkLine(faults, "url", *c.URL, MaxLocation)
	}
	return faults
}

// apply returns what an item holds after the change.
func (c Change) apply(item Item) Plain {
	p := Plain{Name: c.Name, Email: c.Email, Password: c.Password, Platform: item.Platform, URL: item.URL}
	if c.Platform != nil {
		p.Platform = *c.Platform
	}
	if c.URL != nil {
		p.URL = *c.URL
	}
	return p
}

func checkSecrets(faults fault.Fields, name, email, password string) {
	checkLine(faults, "name", name, MaxField)
	requireText(faults, "name", name)
	checkLine(faults, "email", email, MaxField)
	checkText(faults, "password", password, MaxField, isControlInText)
	requireText(faults, "password", password)
}

func requireText(faults fault.Fields, field, s string) {
	if s == "" {
		faults[field] = phrase.Required
	}
}

// checkLine takes text of one line.
func checkLine(faults fault.Fields, field, s string, most int) {
	checkText(faults, field, s, most, isControl)
}

func checkText(faults fault.Fields, field, s string, most int, refused func(rune) bool) {
	switch {
	case utf8.RuneCountInString(s) > most:
		faults[field] = phrase.TooLong.With(most)
	case strings.ContainsFunc(s, refused):
		faults[field] = phrase.NoControls
	}
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f }

// isControlInText lets through what keys and notes of several lines are made of: a password may be one.
func isControlInText(r rune) bool { return isControl(r) && r != '\t' && r != '\n' && r != '\r' }
