package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

var errWrong = fault.New(fault.Invalid, "code_wrong", phrase.CodeWrong)

func TestAnErrorIsKnownByItsKindAndSlug(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("do something: %w", errWrong.On("code").Because(io.EOF).After(time.Second))
	if !errors.Is(wrapped, errWrong) || !errors.Is(wrapped, io.EOF) {
		t.Error("an error with a field and a cause is not known again")
	}
	for _, other := range []error{
		fault.New(fault.Invalid, "captcha_wrong", phrase.CodeWrong), fault.New(fault.NotFound, "code_wrong", phrase.CodeWrong), io.EOF,
	} {
		if errors.Is(errWrong, other) {
			t.Errorf("it is taken for %v", other)
		}
	}
	var e *fault.Error
	if !errors.As(wrapped, &e) || e.Slug != "code_wrong" {
		t.Errorf("what may be shown is not found: %+v", e)
	}
}

func TestAVariantLeavesTheErrorAsItIs(t *testing.T) {
	t.Parallel()
	shared := fault.New(fault.TooMany, "too_many", phrase.TooManyAttempts).On("first")
	on := shared.On("second")
	because := shared.Because(io.EOF)
	because.Fields["third"] = phrase.Required
	after := shared.After(time.Minute)
	if shared.RetryAfter != 0 || shared.Unwrap() != nil || len(shared.Fields) != 1 {
		t.Errorf("it became %+v", shared)
	}
	if _, first := on.Fields["first"]; first || len(on.Fields) != 1 {
		t.Errorf("laid at the second field: %v", on.Fields)
	}
	if after.RetryAfter != time.Minute || because.Unwrap() != io.EOF {
		t.Errorf("variants %+v and %+v", after, because)
	}
	if text := on.Fields["second"].In(phrase.English); text != phrase.TooManyAttempts.In(phrase.English) {
		t.Errorf("the field says %q", text)
	}
}

func TestNoFieldsAreNoError(t *testing.T) {
	t.Parallel()
	for _, none := range []fault.Fields{nil, {}} {
		if err := fault.InvalidFields(none); err != nil {
			t.Errorf("no faults are %v", err)
		}
	}
	err := fault.InvalidField("email", phrase.BadEmail)
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Invalid || e.Slug != "invalid" || e.Fields["email"].In(phrase.English) != phrase.BadEmail.In(phrase.English) {
		t.Errorf("a fault of one field is %+v", e)
	}
}

func TestTheLogSeesTheCause(t *testing.T) {
	t.Parallel()
	err := errWrong.Because(fmt.Errorf("read row: %w", io.ErrUnexpectedEOF))
	want := "code_wrong: " + phrase.CodeWrong.In(phrase.English) + ": read row: unexpected EOF"
	if err.Error() != want {
		t.Errorf("the log reads %q, want %q", err.Error(), want)
	}
	if errWrong.Error() != "code_wrong: "+phrase.CodeWrong.In(phrase.English) {
		t.Errorf("without a cause the log reads %q", errWrong.Error())
	}
}
