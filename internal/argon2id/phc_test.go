package argon2id_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"caesar/internal/argon2id"
)

// cheap is for tests that need a hash and not its price.
var cheap = argon2id.Params{Passes: 1, MemoryKiB: 8, Lanes: 1}

func TestEncodedHashesOfTheReferenceImplementationVerify(t *testing.T) {
	t.Parallel()
	// github.com/P-H-C/phc-winner-argon2, src/test.c, Argon2id.
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	hasher := argon2id.NewHasher(1, 128<<10)
	if ok, err := hasher.Verify(t.Context(), phc, "password"); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
	if ok, err := hasher.Verify(t.Context(), phc, "Password"); ok || err != nil {
		t.Errorf("Verify of a wrong password = %v, %v", ok, err)
	}
}

func TestAHashVerifiesForItsPasswordOnly(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(1, 128<<10)
	rapid.Check(t, func(rt *rapid.T) {
		password, other := rapid.String().Draw(rt, "password"), rapid.String().Draw(rt, "other")
		phc, err := hasher.Hash(t.Context(), password, cheap)
		if err != nil {
			rt.Fatal(err)
		}
		if p, err := argon2id.Parameters(phc); err != nil || p != cheap {
			rt.Fatalf("Parameters = %+v, %v", p, err)
		}
		if ok, err := hasher.Verify(t.Context(), phc, password); !ok || err != nil {
			rt.Fatalf("Verify = %v, %v", ok, err)
		}
		if ok, err := hasher.Verify(t.Context(), phc, other); ok != (password == other) || err != nil {
			rt.Fatalf("Verify of another = %v, %v", ok, err)
		}
	})
}

func TestAHashHasASaltOfItsOwn(t *testing.T) {
	t.Parallel()
	hasher := argon2id.NewHasher(1, 128<<10)
	one, _ := hasher.Hash(t.Context(), "x", argon2id.Login)
	two, _ := hasher.Hash(t.Context(), "x", argon2id.Login)
	if one == two {
		t.Error("the same password gives the same hash")
	}
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	if !form.MatchString(one) {
		t.Errorf("Hash = %s", one)
	}
}

func TestOnlyWellFormedHashesAreRead(t *testing.T) {
	t.Parallel()
	const good = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if _, err := argon2id.Parameters(good); err != nil {
		t.Fatalf("the pattern itself: %v", err)
	}
	change := func(old, next string) string { return strings.Replace(good, old, next, 1) }
	for text, want := range map[string]error{
		"":                                     argon2id.ErrFormat,
		"password":                             argon2id.ErrFormat,
		"$2b$10$abcdefghijklmnopqrstuv":        argon2id.ErrFormat,
		"x" + good:                             argon2id.ErrFormat,
		good + "$":                             argon2id.ErrFormat,
		good + "\n":                            argon2id.ErrFormat,
		good + "=":                             argon2id.ErrFormat,
		change("argon2id", "argon2i"):          argon2id.ErrFormat,
		change("v=19", "v=16"):                 argon2id.ErrFormat,
		change("$v=19", ""):                    argon2id.ErrFormat,
		change("m=8,t=1", "t=1,m=8"):           argon2id.ErrFormat,
		change("m=8", "m=08"):                  argon2id.ErrFormat,
		change("m=8", "m=+8"):                  argon2id.ErrFormat,
		change("m=8", "m="):                    argon2id.ErrFormat,
		change("m=8", "m=99999999999"):         argon2id.ErrFormat,
		change("p=1", "p=1,keyid=x"):           argon2id.ErrFormat,
		change("c29tZXNhbHQ", "c29tZXNhbHR"):   argon2id.ErrFormat, // trailing bits
		change("c29tZXNhbHQ", "c29t\nZXNhbHQ"): argon2id.ErrFormat,
		change("c29tZXNhbHQ", strings.Repeat("A", 400)):           argon2id.ErrFormat,
		change("c29tZXNhbHQ", "c29tZXNh"):                         argon2id.ErrParameters,
		change("CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ""): argon2id.ErrParameters,
		change("m=8", "m=1048577"):                                argon2id.ErrParameters,
		change("m=8", "m=4294967295"):                             argon2id.ErrParameters,
		change("m=8", "m=7"):                                      argon2id.ErrParameters,
		change("t=1", "t=0"):                                      argon2id.ErrParameters,
		change("t=1", "t=4294967295"):                             argon2id.ErrParameters,
		change("p=1", "p=257"):                                    argon2id.ErrParameters,
		change("p=1", "p=0"):                                      argon2id.ErrParameters,
	} {
		if _, err := argon2id.Parameters(text); !errors.Is(err, want) {
			t.Errorf("Parameters(%q) = %v, want %v", text, err, want)
		}
		ok, err := argon2id.NewHasher(1, 128<<10).Verify(t.Context(), text, "password")
		if ok || !errors.Is(err, want) {
			t.Errorf("Verify(%q) = %v, %v, want %v", text, ok, err, want)
		}
	}
}

func TestUnmatchedCostsWhatIsAskedAndMatchesNothing(t *testing.T) {
	t.Parallel()
	cheap := argon2id.Params{Passes: 1, MemoryKiB: 64, Lanes: 1}
	phc := argon2id.Unmatched(cheap)
	if p, err := argon2id.Parameters(phc); err != nil || p != cheap {
		t.Fatalf("parameters %v, %v", p, err)
	}
	hasher := argon2id.NewHasher(1, 128<<10)
	for _, password := range []string{"", "password"} {
		if ok, err := hasher.Verify(t.Context(), phc, password); ok || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
	if argon2id.Unmatched(cheap) == phc {
		t.Error("two of them are alike")
	}
}
