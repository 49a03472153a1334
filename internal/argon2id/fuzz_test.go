package argon2id

import "testing"

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, phc string) {
		e, err := parse(phc)
		if err != nil {
			return
		}
		if e.String() != phc {
			t.Errorf("%q is printed as %q", phc, e.String())
		}
		if err := e.params.check(); err != nil {
			t.Errorf("%q: %v", phc, err)
		}
	})
}
