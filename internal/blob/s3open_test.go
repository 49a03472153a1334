package blob_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"caesar/internal/blob"
	"caesar/internal/testbed"
)

func TestAStoreThatLetsNobodyInIsAnErrorAtTheStart(t *testing.T) {
	t.Parallel()
	place := testbed.S3(t)
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	key := u.User.Username()
	secret, _ := u.User.Password()
	for _, c := range []struct {
		user   *url.Userinfo
		bucket string
		want   string
	}{
		{url.UserPassword(key, "mistyped-secret"), u.Host, "does not let these credentials"},
		{url.UserPassword("mistyped-key", secret), u.Host, "open S3 store: "},
		{u.User, "no-such-bucket-anywhere", "there is no bucket no-such-bucket-anywhere"},
	} {
		at := *u
		at.User, at.Host = c.user, c.bucket
		_, err := blob.OpenS3(t.Context(), at.String())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "mistyped") {
			t.Errorf("the error is %v, want one that says %q", err, c.want)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := blob.OpenS3(over, place); !errors.Is(err, context.Canceled) {
		t.Errorf("the error for one who gave up is %v", err)
	}
}

func TestCredentialsOfTheEnvironmentLetIn(t *testing.T) {
	place := testbed.S3(t)
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	t.Setenv("AWS_ACCESS_KEY_ID", u.User.Username())
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", "")
	u.User = nil
	s := openS3(t, u.String())
	same(t, get(t, s, put(t, s, noise(100))), noise(100))
}

func TestAStoreWithoutCredentialsIsAnErrorAtTheStart(t *testing.T) {
	u, err := url.Parse(testbed.S3(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = nil
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/") // in place of the machine's own
	if _, err := blob.OpenS3(t.Context(), u.String()); err == nil || !strings.Contains(err.Error(), "there are no credentials") {
		t.Errorf("the error is %v", err)
	}
}
