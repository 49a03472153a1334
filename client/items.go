package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Paging says which part of a list is wanted. What is zero is left to the server: the first page, 20 on
// each; 200 is the most.
type Paging struct {
	Page, PageSize int64
}

func (p Paging) query() url.Values {
	q := url.Values{}
	if p.Page != 0 {
		q.Set("page", strconv.FormatInt(p.Page, 10))
	}
	if p.PageSize != 0 {
		q.Set("page_size", strconv.FormatInt(p.PageSize, 10))
	}
	return q
}

// Page is one page of a list, the newest first.
type Page[T any] struct {
	Data     []T   `json:"data"`
	Count    int64 `json:"count"` // of all pages together
	Page     int64 `json:"page"`
	PageSize int64 `json:"page_size"`
}

// NewItem is an item to keep. Email and URL may be empty.
type NewItem struct {
	Name, Email, Password, Platform, URL string
}

// CreateItem keeps an item, encrypted. It returns the id of the item.
func (c *Client) CreateItem(ctx context.Context, mainPassword string, item NewItem) (id int64, err error) {
	var made struct {
		ID int64 `json:"id"`
	}
	err = c.call(ctx, http.MethodPost, "auth/account", nil, fields{
		"name": item.Name, "email": item.Email, "password": item.Password, "main_password": mainPassword,
		"platform": item.Platform, "url": item.URL,
	}, &made)
	return made.ID, err
}

// Item is an item as lists show it: name, email and password are ciphertexts in the format of
// Bitwarden's clients.
type Item struct {
	ID        int64  `json:"id"`
	UserID    int64  `json:"user_id"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Password  string `json:"password"`
	Platform  string `json:"platform"`
	URL       string `json:"url"`
	CreatedAt Unix   `json:"created_at"`
	UpdatedAt Unix   `json:"updated_at"`
}

// ItemQuery says which items are wanted. What is zero does not narrow.
type ItemQuery struct {
	Paging
	Platform  string    // any part of it, without regard to case
	DateStart time.Time // created in this second or after
	DateEnd   time.Time // created in this second or before
}

// ListItems returns a page of the items that match.
func (c *Client) ListItems(ctx context.Context, want ItemQuery) (Page[Item], error) {
	q := want.query()
	if want.Platform != "" {
		q.Set("platform", want.Platform)
	}
	if !want.DateStart.IsZero() {
		q.Set("date_start", strconv.FormatInt(want.DateStart.Unix(), 10))
	}
	if !want.DateEnd.IsZero() {
		q.Set("date_end", strconv.FormatInt(want.DateEnd.Unix(), 10))
	}
	var page Page[Item]
	err := c.call(ctx, http.MethodGet, "auth/account", q, nil, &page)
	return page, err
}

// Secret is what an item guards, in the clear.
type Secret struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// RevealItem decrypts an item; the log keeps that it was viewed.
func (c *Client) RevealItem(ctx context.Context, id int64, mainPassword string) (Secret, error) {
	var secret Secret
	err := c.call(ctx, http.MethodPost, itemPath(id), nil, fields{"main_password": mainPassword}, &secret)
	return secret, err
}

// ItemEdit replaces what an item guards, and Platform and URL where they are not nil.
type ItemEdit struct {
	Name, Email, Password string
	Platform, URL         *string
}

// EditedItem is an item after an edit; name, email and password are ciphertexts.
type EditedItem struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Password  string `json:"password"`
	UpdatedAt Unix   `json:"updated_at"`
}

// EditItem changes an item.
func (c *Client) EditItem(ctx context.Context, id int64, mainPassword string, to ItemEdit) (EditedItem, error) {
	body := fields{"main_password": mainPassword, "name": to.Name, "email": to.Email, "password": to.Password}
	if to.Platform != nil {
		body["platform"] = *to.Platform
	}
	if to.URL != nil {
		body["url"] = *to.URL
	}
	var edited EditedItem
	err := c.call(ctx, http.MethodPut, itemPath(id), nil, body, &edited)
	return edited, err
}

// DeleteItem deletes an item for good.
func (c *Client) DeleteItem(ctx context.Context, id int64, mainPassword string) error {
	return c.call(ctx, http.MethodDelete, itemPath(id), nil, fields{"main_password": mainPassword}, nil)
}

// EventType is what was done.
type EventType int

// The types of events. The log of one item knows the first three.
const (
	Created           EventType = 0
	Viewed            EventType = 1
	Edited            EventType = 2
	Deleted           EventType = 3
	WrongMainPassword EventType = 4
)

// Event is an entry of a log.
type Event struct {
	ID        int64     `json:"id"`
	ItemID    int64     `json:"account_id"` // 0 where no item was named
	Type      EventType `json:"type"`
	CreatedAt Unix      `json:"created_at"`
	UpdatedAt Unix      `json:"updated_at"`
}

// ItemLog returns a page of what was done to an item.
func (c *Client) ItemLog(ctx context.Context, id int64, want Paging) (Page[Event], error) {
	var page Page[Event]
	err := c.call(ctx, http.MethodGet, itemPath(id)+"/log", want.query(), nil, &page)
	return page, err
}

// Log returns a page of what was done in the whole vault.
func (c *Client) Log(ctx context.Context, want Paging) (Page[Event], error) {
	var page Page[Event]
	err := c.call(ctx, http.MethodGet, "auth/log", want.query(), nil, &page)
	return page, err
}

func itemPath(id int64) string { return "auth/account/" + strconv.FormatInt(id, 10) }
