package settings

import (
	"strconv"
	"strings"

	"caesar/internal/argon2id"
	"caesar/internal/phrase"
)

const (
	leastSize = 1 << 10  // bytes
	mostSize  = 64 << 40 // bytes: what one age file may hold is far more
	mostKeep  = 1000

	mostHashMemory = 1 << 40 // bytes: no machine has more for passwords
)

// parseSize reads a whole number of a binary unit, such as 500MiB.
func parseSize(text string) (int64, *phrase.Phrase) {
	wrong := complain(phrase.SettingSizeWrong, "64TiB")
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		number, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		shift := 10 * (i + 1)
		n, err := strconv.ParseUint(strings.TrimSuffix(number, " "), 10, 63)
		if err != nil || n > mostSize>>shift || n<<shift < leastSize {
			return 0, wrong
		}
		return int64(n << shift), nil
	}
	return 0, wrong
}

// parseHashMemory reads a size, or nothing for what the machine has.
func parseHashMemory(text string) (int64, *phrase.Phrase) {
	if text == "" {
		return 0, nil
	}
	n, wrong := parseSize(text)
	if wrong != nil || n > mostHashMemory {
		return 0, complain(phrase.SettingSizeWrong, "1TiB")
	}
	return n, nil
}

// checkHashMemory refuses a memory that does not hold each hash that is made here.
func (s *Settings) checkHashMemory() *phrase.Phrase {
	login, main := argon2id.Login.MemoryKiB/1024, s.MainKDF.MemoryMiB
	if least := max(login, main); s.HashMemory != 0 && s.HashMemory < int64(least)<<20 {
		return complain(phrase.SettingHashTooSmall, least, login, main)
	}
	return nil
}

func parseKeep(text string) (int, *phrase.Phrase) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > mostKeep {
		return 0, complain(phrase.SettingNumber, 1, mostKeep)
	}
	return int(n), nil
}
