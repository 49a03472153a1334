package memberapi

import (
	"context"
	"net/http"

	"caesar/internal/fault"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
	"caesar/internal/user"
)

// profile is GET /user/get_user_info/.
func (a *api) profile(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	u, err := a.Users.Me(ctx, who)
	if err != nil {
		return nil, err
	}
	return body(func(b []byte, l phrase.Language) []byte {
		b = append(wire.AppendName(appendHead(b, http.StatusOK, phrase.MemberInfo.In(l)), "data"), '{')
		b = wire.AppendText(b, "username", u.Name)
		b = wire.AppendText(b, "email", u.Email)
		b = wire.AppendText(b, "career", u.Career)
		return append(wire.AppendText(b, "birth_date", u.BirthDate), '}', '}')
	}), nil
}

type editRequest struct {
	edit  user.MemberEdit
	wrong fault.Fields // with how it was sent
}

func readEdit(rd *wire.Reader, _ *http.Request) editRequest {
	return editRequest{
		edit: user.MemberEdit{
			Name: rd.Filled("username"), Password: rd.Filled("password"), Email: rd.Filled("email"),
			Career: rd.Filled("career"), BirthDate: rd.Filled("birth_date"),
			OldPassword: rd.Filled("old_password"), OldEmail: rd.Filled("old_email"),
		},
		wrong: rd.TakeFaults(),
	}
}

// updateProfile is POST /user/update_user_info/.
func (a *api) updateProfile(ctx context.Context, who session.Asker, q editRequest) (answer, error) {
	checked, err := a.Users.CheckEdit(q.edit)
	if err := together(q.wrong, err); err != nil {
		return nil, err
	}
	return say(phrase.MemberUpdated), a.Users.UpdateMember(ctx, who, checked)
}
