package client

import (
	"context"
	"net/http"
	"strconv"
)

// Session is one place where the user is logged in.
type Session struct {
	ID         int64  `json:"id"`
	Current    bool   `json:"current"` // whether it is the one that asked
	UserAgent  string `json:"client"`
	Address    string `json:"address"`
	CreatedAt  Unix   `json:"created_at"`
	LastUsedAt Unix   `json:"last_used_at"` // exact to a few minutes
	ExpiresAt  Unix   `json:"expires_at"`
}

// Sessions returns every live session of the user, the newest first.
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	var sessions struct {
		Data []Session `json:"data"`
	}
	err := c.call(ctx, http.MethodGet, "auth/sessions", nil, nil, &sessions)
	return sessions.Data, err
}

// SignOut ends the session and forgets its token.
func (c *Client) SignOut(ctx context.Context) error {
	return c.callLast(ctx, http.MethodDelete, "auth/session", nil)
}

// EndSession ends one session of the user.
func (c *Client) EndSession(ctx context.Context, id int64) error {
	return c.call(ctx, http.MethodDelete, "auth/sessions/"+strconv.FormatInt(id, 10), nil, nil, nil)
}

// EndOtherSessions ends every session of the user but this one.
func (c *Client) EndOtherSessions(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "auth/sessions", nil, nil, nil)
}
