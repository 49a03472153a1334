package httpd_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"caesar/internal/httpd"
	"caesar/internal/httpd/wire"
)

// addressee returns a function that tells for whom the server takes the sender of a request.
func addressee(t *testing.T, trusted ...string) func(remote string, forwarded ...string) netip.Addr {
	t.Helper()
	var prefixes []netip.Prefix
	for _, text := range trusted {
		prefixes = append(prefixes, netip.MustParsePrefix(text))
	}
	var got netip.Addr
	s, _ := newServer(t, httpd.Options{TrustedProxies: prefixes, Surfaces: []wire.Surface{vault(
		route("GET /api/who", func(_ http.ResponseWriter, r *http.Request) { got = wire.ClientAddr(r.Context()) }),
	)}})
	return func(remote string, forwarded ...string) netip.Addr {
		r := httptest.NewRequest(http.MethodGet, "/api/who", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = forwarded
		r.Header.Set("Forwarded", "for=6.6.6.6")
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		s.ServeHTTP(httptest.NewRecorder(), r)
		return got
	}
}

func TestTheClientIsWhomTheLastTrustedProxyHeard(t *testing.T) {
	t.Parallel()
	who := addressee(t, "10.0.0.0/8", "fd00::/8", "127.0.0.1/32")
	for name, c := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"no proxy":                          {"203.0.113.9:1234", nil, "203.0.113.9"},
		"no proxy, forged":                  {"203.0.113.9:1234", []string{"6.6.6.6"}, "203.0.113.9"},
		"no proxy, forged as a proxy":       {"203.0.113.9:1234", []string{"10.0.0.1", "127.0.0.1"}, "203.0.113.9"},
		"one proxy":                         {"10.0.0.1:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"one proxy that says nothing":       {"10.0.0.1:1234", nil, "10.0.0.1"},
		"one proxy, forged":                 {"10.0.0.1:1234", []string{"6.6.6.6, 203.0.113.9"}, "203.0.113.9"},
		"one proxy, forged in its own line": {"10.0.0.1:1234", []string{"6.6.6.6", "203.0.113.9"}, "203.0.113.9"},
		"one proxy, forged with our proxy":  {"10.0.0.1:1234", []string{"6.6.6.6, 10.0.0.2, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                       {"10.0.0.1:1234", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"two proxies, two lines":            {"10.0.0.1:1234", []string{"203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		"two proxies, forged":               {"10.0.0.1:1234", []string{"6.6.6.6,203.0.113.9 ,\t10.0.0.2 "}, "203.0.113.9"},
		"one proxy, forged as itself":       {"10.0.0.1:1234", []string{"10.0.0.1", "203.0.113.77"}, "203.0.113.77"},
		"only proxies":                      {"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"rubbish":                           {"10.0.0.1:1234", []string{"rubbish"}, "10.0.0.1"},
		"unknown":                           {"10.0.0.1:1234", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		"rubbish before a proxy":            {"10.0.0.1:1234", []string{"203.0.113.9, rubbish, 10.0.0.2"}, "10.0.0.2"},
		"rubbish further left":              {"10.0.0.1:1234", []string{"rubbish, 203.0.113.9"}, "203.0.113.9"},
		"an empty header":                   {"10.0.0.1:1234", []string{""}, "10.0.0.1"},
		"an empty last hop":                 {"10.0.0.1:1234", []string{"203.0.113.9,"}, "10.0.0.1"},
		"a host name":                       {"10.0.0.1:1234", []string{"localhost"}, "10.0.0.1"},
		"a prefix":                          {"10.0.0.1:1234", []string{"203.0.113.0/24"}, "10.0.0.1"},
		"with a port":                       {"10.0.0.1:1234", []string{"203.0.113.9:5678"}, "203.0.113.9"},
		"IPv6":                              {"[fd00::1]:1234", []string{"2001:db8::9"}, "2001:db8::9"},
		"IPv6 with a port":                  {"[fd00::1]:1234", []string{"[2001:db8::9]:5678"}, "2001:db8::9"},
		"IPv6 peer, not trusted":            {"[2001:db8::1]:1234", []string{"6.6.6.6"}, "2001:db8::1"},
		"IPv4 in IPv6":                      {"[::ffff:10.0.0.1]:1234", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"a zone":                            {"[fe80::1%eth0]:1234", nil, "fe80::1"},
		"a zone, forwarded":                 {"10.0.0.1:1234", []string{"fe80::1%" + strings.Repeat("x", 100)}, "fe80::1"},
		"no address at all":                 {"pipe", []string{"6.6.6.6"}, "invalid IP"},
	} {
		if got := who(c.remote, c.forwarded...); got.String() != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestWithoutTrustedProxiesNoHeaderIsBelieved(t *testing.T) {
	t.Parallel()
	who := addressee(t)
	if got := who("127.0.0.1:1234", "6.6.6.6"); got.String() != "127.0.0.1" {
		t.Errorf("got %s", got)
	}
}

// Whatever a client sends along, a proxy that appends whom it heard can't be talked out of it.
func TestAClientCannotForgeItsAddress(t *testing.T) {
	t.Parallel()
	who := addressee(t, "10.0.0.0/8")
	hop := rapid.OneOf(rapid.SampledFrom([]string{"10.0.0.1", "6.6.6.6", "::1", "", " ", "unknown", "203.0.113.9", "\"", "1.2.3.4:5"}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			lines = append(lines, strings.Join(rapid.SliceOfN(hop, 1, 4).Draw(t, "hops"), ","))
		}
		const heard = "203.0.113.77"
		if len(lines) > 0 && rapid.Bool().Draw(t, "joined") {
			lines[len(lines)-1] += ", " + heard
		} else {
			lines = append(lines, heard)
		}
		if rapid.Bool().Draw(t, "second proxy") {
			lines = append(lines, "10.0.0.2")
		}
		if got := who("10.0.0.1:1234", lines...); got.String() != heard {
			t.Fatalf("%q: got %s", lines, got)
		}
	})
}
