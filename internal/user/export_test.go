package user

// What tests of the rules for names look at.
var (
	ParseName = parseName
	FoldName  = foldName
	HandleOf  = handleOf
)

// SealPassword returns a password's hash as it is stored, so that a test can store one of another day.
func (s *Service) SealPassword(userID int64, phc string) []byte { return s.sealPassword(userID, phc) }

// PasswordHash returns the hash that is stored of a user's password.
func (s *Service) PasswordHash(u User) (string, error) { return s.passwordHash(u) }
