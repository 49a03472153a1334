package wire

// Kind is the type that a value had where it was sent.
type Kind uint8

// The kinds of values. Form data has only texts, and files where it is multipart.
const (
	Text Kind = iota + 1
	Number
	Bool
	Null
	Array
	Object
	File
)

// Value is one value of a body.
type Value struct {
	Kind Kind
	// Text is the text itself, always valid UTF-8; of a number the literal as it was sent; of a bool
	// "true" or "false"; empty for the others.
	Text string

	twice bool // the name was sent more than once, with this value first
}

// Fields are the named values of one body, in the order in which they were sent. The zero value holds
// none.
type Fields struct{ list []field }

type field struct {
	name  string
	value Value
}

// MaxFields is how many fields a body may hold, those that nobody asks for included. The largest
// documented body has nine.
const (
	MaxFields   = 1000
	usualFields = 9
)

// Get returns the value of a name, and whether it was sent.
func (f Fields) Get(name string) (Value, bool) {
	for i := range f.list {
		if f.list[i].name != name {
			continue
		}
		value := f.list[i].value
		for _, later := range f.list[i+1:] {
			if later.name == name {
				value.twice = true
				break
			}
		}
		return value, true
	}
	return Value{}, false
}
