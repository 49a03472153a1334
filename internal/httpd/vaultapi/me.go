package vaultapi

import (
	"context"
	"time"

	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
)

// profile is GET /api/auth/me.
func (a *api) profile(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	u, err := a.Users.Me(ctx, who)
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = wire.AppendText(append(b, '{'), "email", u.Email)
		b = wire.AppendText(b, "phone", u.Phone)
		b = wire.AppendText(b, "real_name", u.RealName)
		b = wire.AppendInt(b, "id", u.ID)
		b = wire.AppendText(b, "user_name", u.Name)
		b = wire.AppendText(b, "career", u.Career)
		b = wire.AppendText(b, "birth_date", u.BirthDate)
		b = wire.AppendBool(b, "main_password_set", u.KeyRevision != 0)
		return append(wire.AppendInt(b, "created_at", u.CreatedAt.Unix()), '}')
	}, nil
}

type profileRequest struct{ realName, email, phone string }

func readProfile(rd *wire.Reader) profileRequest {
	return profileRequest{realName: rd.Text("real_name"), email: rd.Text("email"), phone: rd.Text("phone")}
}

// updateProfile is PUT /api/auth/me.
func (a *api) updateProfile(ctx context.Context, who session.Asker, q profileRequest) (answer, error) {
	return said(phrase.ProfileUpdated, a.Users.UpdateMe(ctx, who, q.realName, q.email, q.phone))
}

// closeAccount is DELETE /api/auth/logout, which document 003 calls 注销账号.
func (a *api) closeAccount(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	erased, err := a.Users.Close(ctx, who)
	if err != nil {
		return nil, err
	}
	return say(phrase.AccountClosing.With(erased.In(a.Zone).Format(time.DateOnly))), nil
}

func readErase(rd *wire.Reader) string { return rd.Text("password") }

// erase is DELETE /api/auth/me.
func (a *api) erase(ctx context.Context, who session.Asker, password string) (answer, error) {
	return said(phrase.AccountErased, a.Users.EraseMe(ctx, who, password))
}

type changePasswordRequest struct{ old, next, again string }

func readChangePassword(rd *wire.Reader) changePasswordRequest {
	return changePasswordRequest{old: rd.Text("old_password"), next: rd.Text("password"), again: rd.Text("re_password")}
}

// changePassword is PUT /api/auth/password.
func (a *api) changePassword(ctx context.Context, who session.Asker, q changePasswordRequest) (answer, error) {
	return said(phrase.PasswordChanged, a.Users.ChangePassword(ctx, who, q.old, q.next, q.again))
}

type mainPasswordRequest struct{ old, next string }

func readMainPassword(rd *wire.Reader) mainPasswordRequest {
	old, _ := rd.Optional("old_main_password")
	return mainPasswordRequest{old: old, next: rd.Text("main_password")}
}

// setMainPassword is PUT /api/auth/main_password.
func (a *api) setMainPassword(ctx context.Context, who session.Asker, q mainPasswordRequest) (answer, error) {
	return said(phrase.MainPasswordSet, a.Vault.SetMainPassword(ctx, who, q.old, q.next))
}

// signOut is DELETE /api/auth/session.
func (a *api) signOut(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	_, err := a.Sessions.End(ctx, who.Identity, who.SessionID)
	return said(phrase.SignedOut, err)
}

// listSessions is GET /api/auth/sessions.
func (a *api) listSessions(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	sessions, err := a.Sessions.List(ctx, who.Identity)
	if err != nil {
		return nil, err
	}
	return func(b []byte, _ phrase.Language) []byte {
		b = append(wire.AppendName(append(b, '{'), "data"), '[')
		for _, s := range sessions {
			b = wire.AppendInt(append(wire.AppendComma(b), '{'), "id", s.ID)
			b = wire.AppendBool(b, "current", s.ID == who.SessionID)
			b = wire.AppendText(b, "client", s.Device.Client)
			b = wire.AppendText(b, "address", s.Device.Address)
			b = wire.AppendInt(b, "created_at", s.CreatedAt.Unix())
			b = wire.AppendInt(b, "last_used_at", s.LastUsedAt.Unix())
			b = append(wire.AppendInt(b, "expires_at", s.ExpiresAt.Unix()), '}')
		}
		return append(b, "]}"...)
	}, nil
}

// endOtherSessions is DELETE /api/auth/sessions.
func (a *api) endOtherSessions(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	return said(phrase.SessionsEnded, a.Sessions.EndOthers(ctx, who.Identity))
}

func readID(rd *wire.Reader) int64 { return rd.PathID("id") }

// endSession is DELETE /api/auth/sessions/{id}.
func (a *api) endSession(ctx context.Context, who session.Asker, id int64) (answer, error) {
	ended, err := a.Sessions.End(ctx, who.Identity, id)
	if err == nil && !ended {
		err = errNoSession
	}
	return said(phrase.SessionEnded, err)
}
