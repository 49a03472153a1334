package user

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"caesar/internal/fault"
	"caesar/internal/mail"
	"caesar/internal/password"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/throttle"
)

const (
	maxCareer      = 64 // characters
	firstBirthDate = "1900-01-01"
)

// MemberEdit is a change of a member as it was typed on /user (document 000, POST
// /user/update_user_info/); nil is what was left out. So is an empty name, password or email, as forms
// send fields that nobody filled in; an empty career or birth date is one that is to be gone.
type MemberEdit struct {
	Name, Password, Email, Career, BirthDate *string
	OldPassword, OldEmail                    *string
}

// CheckedEdit is a MemberEdit that was checked.
type CheckedEdit struct {
	parts                 ProfileParts
	email                 mail.Address // of parts.Email
	password              string       // empty: stays
	oldPassword, oldEmail string       // empty: not shown
}

// CheckEdit returns what is to be changed, or the error that names what is wrong with it, by the
// document's names of the fields.
func (s *Service) CheckEdit(e MemberEdit) (CheckedEdit, error) {
	faults := fault.Fields{}
	note := func(field string, wrong phrase.Phrase, ok bool) {
		if !ok {
			faults[field] = wrong
		}
	}
	var c CheckedEdit
	if name, filled := filledIn(e.Name); filled {
		name, wrong, ok := parseName(name)
		note("username", wrong, ok)
		c.parts.Name = &name
	}
	if typed, filled := filledIn(e.Email); filled {
		email, wrong, ok := parseEmail(typed)
		note("email", wrong, ok)
		text := email.String()
		c.email, c.parts.Email = email, &text
	}
	if e.Career != nil {
		career := strings.TrimSpace(*e.Career)
		note("career", phrase.TooLong.With(maxCareer), utf8.RuneCountInString(career) <= maxCareer)
		note("career", phrase.NoControls, !strings.ContainsFunc(career, isUnprintable))
		c.parts.Career = &career
	}
	if e.BirthDate != nil {
		date := strings.TrimSpace(*e.BirthDate)
		note("birth_date", phrase.BadBirthDate, date == "" || s.isBirthDate(date))
		c.parts.BirthDate = &date
	}
	if e.Password != nil && *e.Password != "" {
		next, wrong, ok := password.NormalizeNew(*e.Password, s.LeastMemberPassword)
		note("password", wrong, ok)
		c.password = next
	}
	if e.OldPassword != nil && *e.OldPassword != "" {
		old, wrong, ok := password.Normalize(*e.OldPassword)
		note("old_password", wrong, ok)
		c.oldPassword = old
	}
	c.oldEmail, _ = filledIn(e.OldEmail)
	return c, fault.InvalidFields(faults)
}

// filledIn returns the text of a field, and whether there is more to it than blanks.
func filledIn(typed *string) (text string, ok bool) {
	if typed == nil {
		return "", false
	}
	text = strings.TrimSpace(*typed)
	return text, text != ""
}

// isBirthDate holds for the days from 1900 to today, written as YYYY-MM-DD.
func (s *Service) isBirthDate(date string) bool {
	_, err := time.Parse(time.DateOnly, date)
	return err == nil && date >= firstBirthDate && date <= s.Now().Format(time.DateOnly)
}

// UpdateMember changes what a member asked for, all or nothing. A change of the password or the email
// ends all other sessions, and the address as it was is told. The old password and email are checked
// where they are shown, and must be where the settings say so.
func (s *Service) UpdateMember(ctx context.Context, who session.Asker, c CheckedEdit) error {
	return fresh(func() error { return s.updateMember(ctx, who, c) })
}

func (s *Service) updateMember(ctx context.Context, who session.Asker, c CheckedEdit) error {
	u, err := s.Me(ctx, who)
	if err != nil {
		return err
	}
	present, err := u.address()
	if err != nil {
		return err
	}
	update := Update{
		UserID: u.ID, Parts: c.parts, WasEmail: Handle(present.Folded()), KeyRevision: u.KeyRevision,
		KeepSession: who.SessionID, Now: s.Now(),
	}
	moves := c.parts.Email != nil && c.email.Folded() != present.Folded()
	if err := s.checkOld(ctx, who, u, c, moves || c.password != ""); err != nil {
		return err
	}
	if c.oldPassword != "" {
		update.Credential = u.Credential
	}
	if err := s.prepareParts(ctx, who, u, c, &update); err != nil {
		return err
	}
	if c.password != "" {
		if update.SealedPassword, err = s.newPassword(ctx, u, c.password, who.Visitor); err != nil {
			return err
		}
		update.PasswordLetter = s.Post.Seal(mail.PasswordChangedNotice(present, u.Name, who.Language))
	}
	if moves {
		if err := s.moveEmail(ctx, who, u, present, &update); err != nil {
			return err
		}
	}
	done, err := s.Store.UpdateUser(ctx, update)
	if err != nil {
		return memberTaken(err)
	}
	if !done {
		return errOldPassword.On("old_password") // it has just ceased to be right
	}
	if moves || c.password != "" {
		s.moved(u.ID)
	}
	return nil
}

// checkOld checks what was shown of the old password and email, as one guess. Both are a must for a
// change that matters where the settings say so.
func (s *Service) checkOld(ctx context.Context, who session.Asker, u User, c CheckedEdit, matters bool) error {
	faults := fault.Fields{}
	if s.RequireOld && matters {
		if c.oldPassword == "" {
			faults["old_password"] = phrase.Required
		}
		if c.oldEmail == "" {
			faults["old_email"] = phrase.Required
		}
	}
	if err := fault.InvalidFields(faults); err != nil || c.oldPassword == "" && c.oldEmail == "" {
		return err
	}
	attempt, err := s.Guard.Attempt(ctx, throttle.Inside(u.ID), who.Address)
	if err != nil {
		return err
	}
	if c.oldPassword != "" {
		right, err := s.isPassword(ctx, u, c.oldPassword)
		if err != nil {
			return fmt.Errorf("compare password: %w", err)
		}
		if !right {
			faults["old_password"] = phrase.OldPasswordWrong
		}
	}
	if c.oldEmail != "" && handleOf(c.oldEmail) != handleOf(u.Email) {
		faults["old_email"] = phrase.OldEmailWrong
	}
	if err := fault.InvalidFields(faults); err != nil {
		return err
	}
	return noted(attempt.Right(ctx))
}

// prepareParts fills in the handles of the parts, and spares the hashing where the store would refuse
// them anyway.
func (s *Service) prepareParts(ctx context.Context, who session.Asker, u User, c CheckedEdit, update *Update) error {
	name, email := nameHandle(u.Name), handleOf(u.Email)
	if c.parts.Name != nil {
		name = nameHandle(*c.parts.Name)
	}
	if c.parts.Email != nil {
		email = Handle(c.email.Folded())
	}
	update.NameHandle, update.EmailHandle = name, email
	if name != nameHandle(u.Name) || email != handleOf(u.Email) { // the answer may tell whom they belong to
		if err := s.Guard.Allow(ctx, throttle.PerAsker, throttle.Client(who.Address)); err != nil {
			return err
		}
	}
	nameTaken, emailTaken, err := s.areTaken(ctx, name, email, u.ID)
	if err != nil {
		return err
	}
	faults := fault.Fields{}
	if nameTaken {
		faults["username"] = phrase.NameTaken
	}
	if emailTaken {
		faults["email"] = phrase.EmailTaken
	}
	return fault.InvalidFields(faults)
}
