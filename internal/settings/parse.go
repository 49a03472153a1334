package settings

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"caesar/internal/phrase"
)

// The bounds of the settings that are numbers.
const (
	mostPasswordMin = 128 // characters
	mostGrace       = 10 * 365 * 24 * time.Hour
	mostPool        = 1000 // connections
)

// complain says what is wrong with a value, and never the value.
func complain(p phrase.Phrase, args ...any) *phrase.Phrase {
	if len(args) > 0 {
		p = p.With(args...)
	}
	return &p
}

func parseListen(text string) (string, *phrase.Phrase) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, " /\x00") {
		return "", complain(phrase.SettingListenWrong)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", complain(phrase.SettingListenWrong)
	}
	return text, nil
}

func parsePath(text string) (string, *phrase.Phrase) {
	if text == "" {
		return "", complain(phrase.SettingPathWrong)
	}
	return parseOptionalPath(text)
}

func parseOptionalPath(text string) (string, *phrase.Phrase) {
	if strings.ContainsRune(text, 0) {
		return "", complain(phrase.SettingPathWrong)
	}
	return text, nil
}

// parseSMTP checks what can be checked without package mail, which reads the whole of the URL.
func parseSMTP(text string) (Secret, *phrase.Phrase) {
	if text == "" {
		return Secret{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
		return Secret{}, complain(phrase.SettingSMTPWrong)
	}
	return NewSecret(text), nil
}

func parseMailFrom(text string) (string, *phrase.Phrase) {
	if text == "" {
		return "", nil
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return "", complain(phrase.SettingMailWrong)
	}
	return text, nil
}

func parsePublicURL(text string) (string, *phrase.Phrase) {
	if text == "" {
		return "", nil
	}
	origin, ok := parseOrigin(text)
	if !ok {
		return "", complain(phrase.SettingURLWrong)
	}
	return origin, nil
}

// parseOrigin reads scheme://host[:port] and writes it as browsers send it (RFC 6454, section 6.2): in
// lower case and without the port that the scheme implies.
func parseOrigin(text string) (string, bool) {
	u, err := url.Parse(strings.ToLower(strings.TrimSuffix(text, "/")))
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", false
		}
	}
	implied := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	host := strings.TrimSuffix(strings.TrimSuffix(u.Host, implied), ":")
	if u.Scheme+"://"+u.Host != u.String() || strings.ContainsAny(host, "* ,") {
		return "", false
	}
	return u.Scheme + "://" + host, true
}

func parseOrigins(text string) ([]string, *phrase.Phrase) {
	var origins []string
	for _, part := range list(text) {
		origin, ok := parseOrigin(part)
		if !ok {
			return nil, complain(phrase.SettingOriginWrong)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

func parseNetworks(text string) ([]netip.Prefix, *phrase.Phrase) {
	var networks []netip.Prefix
	for _, part := range list(text) {
		network, err := netip.ParsePrefix(part)
		if addr, addrErr := netip.ParseAddr(part); err != nil && addrErr == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, complain(phrase.SettingNetworks)
		}
		if network.Bits() == 0 {
			return nil, complain(phrase.SettingAnyone)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// list splits at commas and spaces.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func parseOnOff(text string) (bool, *phrase.Phrase) {
	return choose(text, "on", "off")
}

func parseFormat(text string) (bool, *phrase.Phrase) {
	return choose(text, "json", "text")
}

// choose reports whether the text is the first of two words; any third is wrong.
func choose(text, yes, no string) (bool, *phrase.Phrase) {
	if text != yes && text != no {
		return false, complain(phrase.SettingOneOf, yes+", "+no)
	}
	return text == yes, nil
}

func parseLevel(text string) (slog.Level, *phrase.Phrase) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[text]
	if !ok {
		return 0, complain(phrase.SettingOneOf, "debug, info, warn, error")
	}
	return level, nil
}

func parsePasswordMin(text string) (int, *phrase.Phrase) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > mostPasswordMin {
		return 0, complain(phrase.SettingNumber, 1, mostPasswordMin)
	}
	return int(n), nil
}

func parsePool(text string) (int, *phrase.Phrase) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > mostPool {
		return 0, complain(phrase.SettingNumber, 1, mostPool)
	}
	return int(n), nil
}

func parseGrace(text string) (time.Duration, *phrase.Phrase) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > mostGrace {
		return 0, complain(phrase.SettingDuration, "87600h")
	}
	return d, nil
}

// parseKDF reads memory and passes, such as "64MiB,3".
func parseKDF(text string) (KDF, *phrase.Phrase) {
	wrong := complain(phrase.SettingKDFWrong, leastKDFMemory, mostKDFMemory, leastKDFPasses, mostKDFPasses)
	before, after, found := strings.Cut(text, ",")
	number, isMiB := strings.CutSuffix(strings.TrimSpace(before), "MiB")
	memory, err := strconv.ParseUint(number, 10, 32)
	if !found || !isMiB || err != nil || memory < leastKDFMemory || memory > mostKDFMemory {
		return KDF{}, wrong
	}
	passes, err := strconv.ParseUint(strings.TrimSpace(after), 10, 32)
	if err != nil || passes < leastKDFPasses || passes > mostKDFPasses {
		return KDF{}, wrong
	}
	return KDF{MemoryMiB: uint32(memory), Passes: uint32(passes)}, nil
}
