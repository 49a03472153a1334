package settings

import (
	"strconv"
	"strings"

	"caesar/internal/phrase"
)

const (
	leastSize = 1 << 10  // bytes
	mostSize  = 64 << 40 // bytes: what one age file may hold is far more
	mostKeep  = 1000
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

func parseKeep(text string) (int, *phrase.Phrase) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > mostKeep {
		return 0, complain(phrase.SettingNumber, 1, mostKeep)
	}
	return int(n), nil
}
