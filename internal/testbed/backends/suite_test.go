package main

import (
	"bytes"
	"slices"
	"testing"
)

func TestTheSecondRunIsToldApartByTheNameOfItsPackage(t *testing.T) {
	t.Parallel()
	const stream = `{"Action":"run","Package":"caesar/e2e","Test":"TestA"}
{"Action":"output","Package":"caesar/e2e","Test":"TestA","Output":"it said \"Package\":\"caesar/e2e\"\n"}
{"Action":"pass","Package":"caesar/e2e/other","Test":"TestB"}
`
	const want = `{"Action":"run","Package":"caesar/e2e[postgres]","Test":"TestA"}
{"Action":"output","Package":"caesar/e2e[postgres]","Test":"TestA","Output":"it said \"Package\":\"caesar/e2e\"\n"}
{"Action":"pass","Package":"caesar/e2e/other","Test":"TestB"}
`
	for size := 1; size <= len(stream); size++ {
		var got bytes.Buffer
		r := renamer{out: &got}
		for part := range slices.Chunk([]byte(stream), size) {
			if n, err := r.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if got.String() != want {
			t.Fatalf("written in pieces of %d bytes it is\n%s", size, &got)
		}
	}
}

func TestFlagsArePartedFromPackages(t *testing.T) {
	t.Parallel()
	flags, packages := split([]string{"-race", "-run=TestA|TestB", "./e2e", "-timeout=15m", "./internal/..."})
	if !slices.Equal(flags, []string{"-race", "-run=TestA|TestB", "-timeout=15m"}) || !slices.Equal(packages, []string{"./e2e", "./internal/..."}) {
		t.Errorf("%q and %q", flags, packages)
	}
}
