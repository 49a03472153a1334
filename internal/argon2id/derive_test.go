package argon2id

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// garbage returns memory as an earlier hash may leave it.
func garbage(n uint32) []block {
	blocks := make([]block, n)
	for i := range blocks {
		for j := range blocks[i] {
			blocks[i][j] = 0xdeadbeefdeadbeef
		}
	}
	return blocks
}

func TestTheVectorOfRFC9106(t *testing.T) {
	t.Parallel()
	// RFC 9106, section 5.3.
	in := input{
		password: bytes.Repeat([]byte{1}, 32),
		salt:     bytes.Repeat([]byte{2}, 16),
		secret:   bytes.Repeat([]byte{3}, 8),
		data:     bytes.Repeat([]byte{4}, 12),
	}
	p := Params{Passes: 3, MemoryKiB: 32, Lanes: 4}
	const want = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
	for range 2 { // in fresh memory and in used memory alike
		key, err := deriveKey(t.Context(), garbage(p.blocks()), in, p, 32)
		if err != nil || hex.EncodeToString(key) != want {
			t.Errorf("deriveKey = %x, %v", key, err)
		}
	}
}

func TestTheBlockThatGivesTheKeyAwayIsWiped(t *testing.T) {
	t.Parallel()
	p := Params{Passes: 1, MemoryKiB: 64, Lanes: 2}
	memory := garbage(p.blocks())
	if _, err := deriveKey(t.Context(), memory, input{salt: make([]byte, 16)}, p, 32); err != nil {
		t.Fatal(err)
	}
	if memory[len(memory)-1] != (block{}) {
		t.Error("the last block is still there")
	}
}

func TestAssemblyComputesWhatGoDoes(t *testing.T) {
	t.Parallel()
	var a, b block
	for i := range a {
		a[i], b[i] = uint64(i)*0x9e3779b97f4a7c15, ^uint64(i)*0xc2b2ae3d27d4eb4f
	}
	for range 100 {
		assembly, generic := a, a
		processBlock(&assembly, &a, &b)
		processBlockGeneric(&generic, &a, &b, false)
		if assembly != generic {
			t.Fatal("processBlock differs")
		}
		processBlockXOR(&assembly, &a, &b)
		processBlockGeneric(&generic, &a, &b, true)
		if assembly != generic {
			t.Fatal("processBlockXOR differs")
		}
		a, b = b, assembly
		processBlockGeneric(&b, &a, &generic, false)
	}
}
