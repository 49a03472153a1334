package user_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"caesar/internal/user"
)

func TestAUserIsPendingUntilTheEmailIsProven(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.register("Marcus", "Marcus@Example.org")
	if letters := h.letters(); len(letters) != 0 {
		t.Errorf("registering sent %+v: the client asks for the mail", letters)
	}
	_, err := h.login("marcus", loginPassword)
	h.refused(err, "not_activated")
	_, err = h.login("marcus", "wrong password")
	h.refused(err, "login_wrong")

	h.must(h.Activate(t.Context(), "marcus@example.org", h.code("marcus@example.org", user.ForActivation), visitor))
	token, err := h.login("marcus", loginPassword)
	h.must(err)
	who, err := h.identify(token)
	if err != nil || who.UserID != id || who.KeyRevision != 1 {
		t.Errorf("the token proves %+v, %v", who, err)
	}
	u := h.row(id)
	if u.Email != "Marcus@Example.org" || u.Name != "Marcus" || !u.CreatedAt.Equal(h.Now()) {
		t.Errorf("the user is %+v", u)
	}
	record, err := h.store.KeyRecord(t.Context(), id)
	h.must(err)
	if _, err := h.Keys.Unlock(t.Context(), id, record, mainPassword); err != nil {
		t.Errorf("the main password opens nothing: %v", err)
	}
}

func TestAllFaultsOfARegistrationAreToldTogether(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.tryRegister(user.Form{})
	h.refused(err, "invalid", "user_name", "real_name", "email", "phone", "password", "main_password")
	for _, c := range []struct {
		change func(*user.Form)
		field  string
	}{
		{func(f *user.Form) { f.Name = " \t" }, "user_name"},
		{func(f *user.Form) { f.Name = "marcus@example.org" }, "user_name"},
		{func(f *user.Form) { f.Name = "tullius＠example.org" }, "user_name"}, // it would fold to an email
		{func(f *user.Form) { f.Name = "tullius﹫example.org" }, "user_name"},
		{func(f *user.Form) { f.Name = "mar\u202ecus" }, "user_name"},
		{func(f *user.Form) { f.Name = "mar\r\nBcc: x" }, "user_name"},
		{func(f *user.Form) { f.Name = "\u200d\u200c" }, "user_name"}, // nothing to see
		{func(f *user.Form) { f.Name = "\u3164" }, "user_name"},
		{func(f *user.Form) { f.Name = strings.Repeat("名", 65) }, "user_name"},
		{func(f *user.Form) { f.RealName = "" }, "real_name"},
		{func(f *user.Form) { f.RealName = strings.Repeat("名", 65) }, "real_name"},
		{func(f *user.Form) { f.RealName = "a\x00b" }, "real_name"},
		{func(f *user.Form) { f.Email = "Marcus <marcus@example.org>" }, "email"},
		{func(f *user.Form) { f.Email = "marcus@example.org\n" }, "email"},
		{func(f *user.Form) { f.Email = "marcus" }, "email"},
		{func(f *user.Form) { f.Phone = "12a" }, "phone"},
		{func(f *user.Form) { f.Phone = "+-()" }, "phone"},
		{func(f *user.Form) { f.Phone = strings.Repeat("1", 33) }, "phone"},
		{func(f *user.Form) { f.Password, f.RePassword = "12345", "12345" }, "password"},
		{func(f *user.Form) { f.Password = strings.Repeat("a", 1025) }, "password"},
		{func(f *user.Form) { f.RePassword += "x" }, "re_password"},
		{func(f *user.Form) { f.RePassword = "" }, "re_password"},
		{func(f *user.Form) { f.MainPassword = "12345" }, "main_password"},
		{func(f *user.Form) { f.MainPassword = loginPassword }, "main_password"},
		{func(f *user.Form) { f.MainPassword = strings.ReplaceAll(loginPassword, "login", "ｌｏｇｉｎ") }, "main_password"},
	} {
		f := form("Marcus", "marcus@example.org")
		c.change(&f)
		_, err := h.Check(f)
		h.refused(err, "invalid", c.field)
	}
	for _, fine := range []func(*user.Form){
		func(f *user.Form) { f.Name = "马可 波罗" },
		func(f *user.Form) { f.Name = strings.Repeat("名", 64) },
		func(f *user.Form) { f.Name = " marcus " },
		func(f *user.Form) { f.Name = "👨‍👩‍👧" },
		func(f *user.Form) { f.Phone = " (030) 12-34 " },
		func(f *user.Form) { f.RePassword = strings.ReplaceAll(loginPassword, "login", "ｌｏｇｉｎ") },
	} {
		f := form("Marcus", "marcus@example.org")
		fine(&f)
		if _, err := h.Check(f); err != nil {
			t.Errorf("%+v is refused: %v", f, err)
		}
	}
}

// rowsOf counts, table by table, the rows that are of one user or of nobody who is there.
func (h *house) rowsOf(id int64) map[string]int {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.path)
	h.must(err)
	defer func() { _ = db.Close() }()
	columns := map[string]string{} // of persons, by the table
	func() {
		rows, err := db.QueryContext(h.t.Context(), `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND (c.name = 'user_id' OR m.name = 'users' AND c.name = 'id')`)
		h.must(err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var table, column string
			h.must(rows.Scan(&table, &column))
			columns[table] = column
		}
		h.must(rows.Err())
	}()
	if len(columns) < 8 {
		h.t.Fatalf("only these tables are of persons: %v", columns)
	}
	found := map[string]int{}
	for table, column := range columns {
		var n int
		h.must(db.QueryRowContext(h.t.Context(), fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = $1", table, column), id).Scan(&n))
		if n > 0 {
			found[table] = n
		}
	}
	return found
}

func TestTheNextRegistrationOfAnAddressReplacesThePendingOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	squatter := h.register("Squatter", "marcus@example.org")
	stale := h.code("marcus@example.org", user.ForActivation)
	id := h.register("Marcus", "MARCUS@example.org")
	if id == squatter {
		t.Fatal("the id was given again")
	}
	// The mailed code's row stays until it is swept: it is the address's pause between mails, and right for
	// nobody any more.
	if found := h.rowsOf(squatter); len(found) > 1 || found["codes"] != len(found) {
		t.Errorf("of the one replaced is left: %v", found)
	}
	h.refused(h.Activate(t.Context(), "marcus@example.org", stale, visitor), "code_wrong", "code")
	_, err := h.login("squatter", loginPassword)
	h.refused(err, "login_wrong")
	h.register("Squatter", "other@example.org") // the name is free again

	h.advance(10*time.Minute + time.Second)
	h.must(h.store.Sweep(t.Context(), h.Now()))
	if found := h.rowsOf(squatter); len(found) != 0 {
		t.Errorf("after the sweep is left: %v", found)
	}
	if found := h.rowsOf(id); found["users"] != 1 || found["handles"] != 2 || found["key_records"] != 1 {
		t.Errorf("of the one who came is there: %v", found)
	}
}

func TestARegistrationThatNobodyActivatesIsErasedAfterADay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.register("Marcus", "marcus@example.org")
	h.advance(24*time.Hour - time.Second)
	h.must(h.EraseDue(t.Context()))
	if _, err := h.login("marcus", loginPassword); err == nil {
		t.Fatal("a pending user logged in")
	} else {
		h.refused(err, "not_activated")
	}
	h.advance(time.Second)
	h.must(h.EraseDue(t.Context()))
	if found := h.rowsOf(id); len(found) != 0 {
		t.Errorf("left is: %v", found)
	}
	for _, l := range h.letters() {
		if l.To.String() != "" {
			t.Errorf("an address that was never proven is told: %+v", l)
		}
	}
	_, err := h.login("marcus", loginPassword)
	h.refused(err, "login_wrong")

	kept := h.register("Marcus", "marcus@example.org")
	h.must(h.Activate(t.Context(), "marcus@example.org", h.code("marcus@example.org", user.ForActivation), visitor))
	h.advance(1000 * time.Hour)
	h.must(h.EraseDue(t.Context()))
	h.row(kept)
}

func TestANameAndAnEmailBelongToOneWhateverTheSpelling(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(user.Active, "Émile Zola")
	h.keep(user.Active, "straße")
	h.keep(user.Active, "marcus")
	for _, name := range []string{
		"émile zola", "E\u0301mile Zola", "ÉMILE  ZOLA", "Ｅ\u0301mile\u3000Zola", "Émi\u200dle Zola", " Émile Zola ", "Émile\u00a0Zola", "Émile Zola\ufe0f",
		"STRASSE", "strasse", "Straſſe", "marcus", "ＭＡＲＣＵＳ", "ⓜarcus",
	} {
		_, err := h.tryRegister(form(name, "new@example.org"))
		h.refused(err, "taken", "user_name")
	}
	_, err := h.tryRegister(form("new", "MARCUS@Example.ORG"))
	h.refused(err, "taken", "email")
	_, err = h.tryRegister(form("Marcus", "marcus@example.org"))
	h.refused(err, "taken", "email", "user_name")
	for _, name := range []string{"emile zola", "Émile Zolà", "marcus1", "mаrcus"} { // the last with a Cyrillic letter: another name
		if _, err := h.Check(form(name, "new@example.org")); err != nil {
			t.Errorf("%q is refused: %v", name, err)
		}
	}
}

func TestANameIsNoHoldOnAnothersEmail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, name := range []string{"marcus＠example.org", "marcus﹫example.org", "ｍarcus＠ｅxample.org"} {
		_, err := h.tryRegister(form(name, "squatter@example.org"))
		h.refused(err, "invalid", "user_name")
	}
	h.register("Marcus", "marcus@example.org")
}

func TestOfManyRegistrationsAtOnceOfANameOneWins(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			_, err := h.tryRegister(form("Marcus", fmt.Sprintf("m%d@example.org", i)))
			if err == nil {
				won.Add(1)
			} else if slug(err) != "taken" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d registrations won", won.Load())
	}
}
