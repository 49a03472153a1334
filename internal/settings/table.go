package settings

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"caesar/internal/phrase"
)

// prefix begins the name of every variable that is ours.
const prefix = "CAESAR_"

// row is one setting: all that is known about it stands here and nowhere else.
type row struct {
	name     string // in words joined by underscores: the flag and the variable follow from it
	value    string // what its value looks like, for --help
	standard string // the default, as it would be typed
	secret   bool   // whether it may come from a file of its own, and is never shown
	help     phrase.Phrase
	set      func(*Settings, string) *phrase.Phrase // nil: the value was right, and is set
}

// table returns the settings in the order in which --help lists them.
func table() []row {
	return []row{
		{"listen", "HOST:PORT", "localhost:8888", false, phrase.SettingListen, into(parseListen, func(s *Settings) *string { return &s.Listen })},
		{"data", "FOLDER", "./caesar-data", false, phrase.SettingData, into(parsePath, func(s *Settings) *string { return &s.Data })},
		{"database", "URL", "", true, phrase.SettingDatabase, into(parseDatabase, func(s *Settings) *Secret { return &s.Database })},
		{"database_pool", "NUMBER", "20", false, phrase.SettingDatabasePool, into(parsePool, func(s *Settings) *int { return &s.DatabasePool })},
		{"blobs", "URL", "", true, phrase.SettingBlobs, into(parseBlobs, func(s *Settings) *Secret { return &s.Blobs })},
		{"public_url", "URL", "", false, phrase.SettingPublicURL, into(parsePublicURL, func(s *Settings) *string { return &s.PublicURL })},
		{"smtp", "URL", "", true, phrase.SettingSMTP, into(parseSMTP, func(s *Settings) *Secret { return &s.SMTP })},
		{"mail_from", "ADDRESS", "", false, phrase.SettingMailFrom, into(parseMailFrom, func(s *Settings) *string { return &s.MailFrom })},
		{"captcha", "on|off", "on", false, phrase.SettingCaptcha, into(parseOnOff, func(s *Settings) *bool { return &s.Captcha })},
		{"trusted_proxies", "NETWORKS", "", false, phrase.SettingTrustedProxies, into(parseNetworks, func(s *Settings) *[]netip.Prefix { return &s.TrustedProxies })},
		{"origins", "ORIGINS", "", false, phrase.SettingOrigins, into(parseOrigins, func(s *Settings) *[]string { return &s.Origins })},
		{"root_key_file", "FILE", "", false, phrase.SettingRootKeyFile, into(parseOptionalPath, func(s *Settings) *string { return &s.RootKeyFile })},
		{"backup_key_file", "FILE", "", false, phrase.SettingBackupKeyFile, into(parseOptionalPath, func(s *Settings) *string { return &s.BackupKeyFile })},
		{"login_password_min", "NUMBER", "6", false, phrase.SettingLoginPasswordMin, into(parsePasswordMin, func(s *Settings) *int { return &s.LoginPasswordMin })},
		{"member_password_min", "NUMBER", "5", false, phrase.SettingMemberPasswordMin, into(parsePasswordMin, func(s *Settings) *int { return &s.MemberPasswordMin })},
		{"main_password_min", "NUMBER", "6", false, phrase.SettingMainPasswordMin, into(parsePasswordMin, func(s *Settings) *int { return &s.MainPasswordMin })},
		{"hide_members", "on|off", "off", false, phrase.SettingHideMembers, into(parseOnOff, func(s *Settings) *bool { return &s.HideMembers })},
		{"require_old", "on|off", "off", false, phrase.SettingRequireOld, into(parseOnOff, func(s *Settings) *bool { return &s.RequireOld })},
		{"closing_grace", "DURATION", "720h", false, phrase.SettingClosingGrace, into(parseGrace, func(s *Settings) *time.Duration { return &s.ClosingGrace })},
		{"main_kdf", "MEMORY,PASSES", "64MiB,3", false, phrase.SettingMainKDF, into(parseKDF, func(s *Settings) *KDF { return &s.MainKDF })},
		{"hash_memory", "SIZE", "", false, phrase.SettingHashMemory, into(parseHashMemory, func(s *Settings) *int64 { return &s.HashMemory })},
		{"backup_file_max", "SIZE", "10GiB", false, phrase.SettingBackupFileMax, into(parseSize, func(s *Settings) *int64 { return &s.BackupFileMax })},
		{"backup_quota", "SIZE", "20GiB", false, phrase.SettingBackupQuota, into(parseSize, func(s *Settings) *int64 { return &s.BackupQuota })},
		{"backup_keep", "NUMBER", "10", false, phrase.SettingBackupKeep, into(parseKeep, func(s *Settings) *int { return &s.BackupKeep })},
		{"log_level", "LEVEL", "info", false, phrase.SettingLogLevel, into(parseLevel, func(s *Settings) *slog.Level { return &s.LogLevel })},
		{"log_format", "text|json", "text", false, phrase.SettingLogFormat, into(parseFormat, func(s *Settings) *bool { return &s.LogJSON })},
	}
}

// into ties how a value is read to where it is kept.
func into[T any](parse func(string) (T, *phrase.Phrase), field func(*Settings) *T) func(*Settings, string) *phrase.Phrase {
	return func(s *Settings, text string) *phrase.Phrase {
		value, wrong := parse(text)
		if wrong == nil {
			*field(s) = value
		}
		return wrong
	}
}

// Flag is a setting as the command line offers it. Every one takes a value.
type Flag struct {
	Name    string // without its dashes
	Value   string // what its value looks like
	Default string // as it would be typed; never a secret
	Help    phrase.Phrase
}

// Flags returns the flags of caesar serve in the order in which --help lists them.
func Flags() []Flag {
	flags := []Flag{{Name: "config", Value: "FILE", Help: phrase.SettingConfig}}
	for _, r := range table() {
		flags = append(flags, Flag{flagName(r.name), r.value, r.standard, r.help})
		if r.secret {
			flags = append(flags, Flag{flagName(r.name + "_file"), "FILE", "", phrase.SettingFromFile.With(flagName(r.name))})
		}
	}
	return flags
}

func flagName(name string) string { return strings.ReplaceAll(name, "_", "-") }

func variable(name string) string { return prefix + strings.ToUpper(name) }
