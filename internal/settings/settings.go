// Package settings reads what the one who runs Caesar has decided: one table of settings, each of which
// is a flag, a variable of the environment, a line of a file, and a default, in that order.
//
// What always holds: all that is wrong is told at once, each fault by the name under which it was said;
// no fault repeats a value, for it may be a secret; and nothing that was said is ignored, so that a
// misspelt name is a fault too.
package settings

import (
	"log/slog"
	"net/netip"
	"time"
)

// Settings is what caesar serve goes by. Load returns it complete and valid.
type Settings struct {
	Listen string // host:port; an empty host is every address, port 0 a free one
	Data   string // the data folder, as typed
	// Database is the postgres:// URL of the database; empty: SQLite in the data folder.
	Database     Secret
	DatabasePool int // the most connections to PostgreSQL
	// Blobs is the s3:// or s3+http:// URL of where backups lie; empty: in the data folder.
	Blobs Secret
	SMTP  Secret // a smtp:// or smtps:// URL with its password; empty: mails go to the outbox folder

	// MailFrom is the bare address that mails come from; empty where it follows from SMTP or PublicURL.
	MailFrom string
	// PublicURL is the origin at which people reach the server, without a trailing slash; empty where
	// it is to be the address listened on.
	PublicURL string

	Captcha        bool           // whether the image captcha is checked
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Origins        []string       // scheme://host[:port] of pages that may send the session cookie
	RootKeyFile    string         // the path of the root key
	BackupKeyFile  string         // the path of the age identity of backups

	LoginPasswordMin  int           // characters
	MemberPasswordMin int           // characters of a login password that is set on /user
	MainPasswordMin   int           // characters
	HideMembers       bool          // whether the login of /user tells nobody which emails are registered
	RequireOld        bool          // whether /user changes a password or email only for who shows the old ones
	ClosingGrace      time.Duration // from the closing of an account to its erasure
	MainKDF           KDF           // for key slots made from now on
	HashMemory        int64         // bytes that all password hashes may take together; 0: by cores and memory

	BackupFileMax int64 // bytes of one backup
	BackupQuota   int64 // bytes of all backups that a person keeps
	BackupKeep    int   // how many backups a person keeps

	LogLevel slog.Level
	LogJSON  bool // JSON lines rather than text
}

// KDF is what the Argon2id of a main password costs; it runs in one lane.
type KDF struct {
	MemoryMiB uint32
	Passes    uint32
}

// The range of KDF that Bitwarden's clients take, by their settings page and their check at login.
const (
	leastKDFMemory, mostKDFMemory = 16, 1024 // MiB
	leastKDFPasses, mostKDFPasses = 2, 10
)
