package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"caesar/internal/fault"
	"caesar/internal/phrase"
)

// maxDepth is how deep the JSON of a body may nest. Documented bodies are flat.
const maxDepth = 32

// parseJSON reads one JSON object (RFC 8259 within the bounds of RFC 7493: valid UTF-8, no lone
// surrogates, no name twice, nothing after it) into its members. Arrays and objects within are held to
// the same rules and left out.
func parseJSON(body []byte) (Fields, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	if first, err := dec.ReadToken(); err != nil {
		return Fields{}, notJSON(err)
	} else if first.Kind() != jsontext.KindBeginObject {
		return Fields{}, malformed(phrase.BodyNotObject, nil)
	}
	fields, err := readMembers(dec)
	if err != nil {
		return Fields{}, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Fields{}, malformed(phrase.BodyNotObject, nil)
	}
	return fields, nil
}

// readMembers reads the members of the object that was begun, and its end.
func readMembers(dec *jsontext.Decoder) (Fields, error) {
	list := make([]field, 0, usualFields)
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return Fields{}, notJSON(err)
		}
		if token.Kind() == jsontext.KindEndObject {
			return Fields{list}, nil
		}
		if len(list) == MaxFields {
			return Fields{}, malformed(phrase.BodyTooMany.With(MaxFields), nil)
		}
		name := token.String() // a token lives until the next read only
		value, err := readValue(dec)
		if err != nil {
			return Fields{}, notJSON(err)
		}
		list = append(list, field{name, value})
	}
}

func readValue(dec *jsontext.Decoder) (Value, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return Value{}, err
	}
	switch token.Kind() {
	case jsontext.KindString:
		return Value{Kind: Text, Text: token.String()}, nil
	case jsontext.KindNumber:
		return Value{Kind: Number, Text: token.String()}, nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return Value{Kind: Bool, Text: token.String()}, nil
	case jsontext.KindNull:
		return Value{Kind: Null}, nil
	case jsontext.KindBeginArray:
		return Value{Kind: Array}, skipRest(dec)
	default:
		return Value{Kind: Object}, skipRest(dec)
	}
}

var errTooDeep = errors.New("nested too deep")

// skipRest reads to the end of the array or object that was begun.
func skipRest(dec *jsontext.Decoder) error {
	for begun := dec.StackDepth(); dec.StackDepth() >= begun; {
		if dec.StackDepth() > maxDepth {
			return errTooDeep
		}
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

// notJSON returns the fault for an error of the decoder. It keeps the place only: the decoder's own text
// quotes what was sent, which has no business in a log.
func notJSON(err error) error {
	if errors.Is(err, errTooDeep) {
		return malformed(phrase.BodyTooDeep, err)
	}
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return malformed(phrase.BodyNotJSON, io.ErrUnexpectedEOF) // the decoder says io.EOF of nothing but spaces
	}
	cause := fmt.Errorf("read JSON: fault at byte %d", syntactic.ByteOffset)
	if name, ok := memberAt(syntactic.JSONPointer); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		return faultyField(name, phrase.SentTwice, cause)
	}
	return malformed(phrase.BodyNotJSON, cause)
}

// memberAt returns the name of the member of the outermost object that a JSON pointer (RFC 6901) leads
// to, if it leads no deeper.
func memberAt(pointer jsontext.Pointer) (string, bool) {
	if pointer == "" || pointer.Parent() != "" {
		return "", false
	}
	return pointer.LastToken(), true
}

// maxShownName bounds the field names of the client's own making that an answer repeats.
const maxShownName = 64

// faultyField returns the fault for one field of a body that could not be read on account of it.
func faultyField(name string, message phrase.Phrase, cause error) error {
	if len(name) > maxShownName {
		return malformed(phrase.InvalidRequest, cause)
	}
	f := fault.New(fault.Invalid, "invalid", phrase.InvalidRequest)
	f.Fields = fault.Fields{name: message}
	return f.Because(cause)
}
