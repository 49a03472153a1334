package user_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"caesar/internal/user"
)

// cellar is where users have something, and notes whose was erased.
type cellar struct {
	gone  func(userID int64) bool
	fails error

	erased []int64
}

func (c *cellar) EraseAll(_ context.Context, userID int64) error {
	if !c.gone(userID) {
		return errors.New("the user is still there, and could put something in")
	}
	c.erased = append(c.erased, userID)
	return c.fails
}

func TestBelongingsGoWithTheirUserAndAreTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := &cellar{gone: func(id int64) bool {
		_, err := h.store.UserByID(t.Context(), id)
		return errors.Is(err, user.ErrNoUser)
	}}
	h.Belongings = []user.Belongings{c}
	h.keep(user.Active, "tullius")
	id := h.keep(user.Active, "marcus")

	c.fails = errors.New("the disk is away")
	if err := h.EraseMe(t.Context(), h.asker("marcus"), loginPassword); !errors.Is(err, c.fails) {
		t.Fatalf("the error is %v", err)
	}
	if err := h.EraseDue(t.Context()); !errors.Is(err, c.fails) {
		t.Fatalf("the error is %v", err)
	}
	c.fails = nil
	h.must(h.EraseDue(t.Context()))
	h.must(h.EraseDue(t.Context())) // there is nothing left to do
	if !slices.Equal(c.erased, []int64{id, id, id}) {
		t.Errorf("erased were %v, want %d three times", c.erased, id)
	}
}
