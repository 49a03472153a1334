package httpd

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"caesar/internal/httpd/wire"
)

// origins decides which pages of other sites may call us (the Fetch standard's CORS protocol), and which
// of their requests are refused.
type origins struct {
	listed     map[string]bool // may call with credentials
	ours       string          // the origin of the public URL, "" where none is set
	secure     bool            // whether that is https
	protection *http.CrossOriginProtection
}

func newOrigins(publicURL string, listed []string) (*origins, error) {
	o := &origins{listed: map[string]bool{}, protection: http.NewCrossOriginProtection()}
	for _, text := range listed {
		origin, rest, err := cutOrigin(text)
		if err != nil {
			return nil, fmt.Errorf("read origin: %w", err)
		}
		if rest != "" {
			return nil, fmt.Errorf("read origin: %q has more than a scheme and a host", text)
		}
		if err := o.protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("read origin: %w", err)
		}
		o.listed[origin] = true
	}
	if publicURL == "" {
		return o, nil
	}
	origin, _, err := cutOrigin(publicURL)
	if err != nil {
		return nil, fmt.Errorf("read public URL: %w", err)
	}
	if err := o.protection.AddTrustedOrigin(origin); err != nil {
		return nil, fmt.Errorf("read public URL: %w", err)
	}
	o.ours, o.secure = origin, strings.HasPrefix(origin, "https:")
	return o, nil
}

// cutOrigin returns the origin of a URL as browsers write it, in lower case and without a default port,
// and what follows it, if that is more than a slash.
func cutOrigin(text string) (origin, rest string, err error) {
	u, err := url.Parse(text)
	if parse, ok := errors.AsType[*url.Error](err); ok {
		return "", "", fmt.Errorf("parse URL: %w", parse.Err) // without the URL, which may hold a password
	}
	if err != nil {
		return "", "", fmt.Errorf("parse URL: %w", err)
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	defaultPort, ok := map[string]string{"http": ":80", "https": ":443"}[scheme]
	if !ok || u.Hostname() == "" || u.User != nil {
		return "", "", fmt.Errorf("%q is no http or https address", u.Redacted())
	}
	u.Scheme, u.Host = "", ""
	return scheme + "://" + strings.TrimSuffix(host, defaultPort), strings.TrimPrefix(u.String(), "/"), nil
}

// allow sets the headers by which a browser lets a page of another origin read the answer, and tells
// whether the request only asks for them.
func (o *origins) allow(header http.Header, r *http.Request, anyOrigin bool) (preflight bool) {
	origin := r.Header.Get("Origin")
	if len(o.listed) > 0 {
		header.Add("Vary", "Origin")
	}
	switch {
	case o.listed[origin]:
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true")
	case anyOrigin:
		header["Access-Control-Allow-Origin"] = starOrigin
	default:
		return false
	}
	header["Access-Control-Expose-Headers"] = exposedHeaders
	if !anyOrigin {
		header["Access-Control-Expose-Headers"] = exposedWithFiles
	}
	if r.Method != http.MethodOptions || origin == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
	header["Access-Control-Allow-Headers"] = allowedHeaders
	if !anyOrigin {
		header["Access-Control-Allow-Headers"] = allowedWithFiles
	}
	header.Set("Access-Control-Max-Age", "600")
	return true
}

// Header values that are the same on every answer; nobody may change them in place.
var (
	starOrigin     = []string{"*"}
	exposedHeaders = []string{"Retry-After, X-Request-Id"}
	allowedHeaders = []string{"Authorization, Content-Type, Accept-Language"}
	// exposedWithFiles and allowedWithFiles are those of a surface that has files to download.
	exposedWithFiles = []string{"Retry-After, X-Request-Id, Content-Disposition, Content-Range, Accept-Ranges, ETag"}
	allowedWithFiles = []string{"Authorization, Content-Type, Accept-Language, Range, If-Range, If-None-Match"}
)

// crossSite tells whether a request would act with the session of our cookie for a page of another site.
// One that shows a bearer token acts for whoever put the token there.
func (o *origins) crossSite(r *http.Request) bool {
	_, byCookie := wire.Token(r)
	return byCookie && o.protection.Check(r) != nil
}

// foreign tells whether a request comes from a page of another site, whatever it carries and also where
// its method is a safe one: for routes that give or end a session. Browsers too old to say so by
// Sec-Fetch-Site, and all on plain http off localhost, are judged by Origin or, where a link or an image
// sends none, by Referer.
func (o *origins) foreign(r *http.Request) bool {
	asPost := *r
	asPost.Method = http.MethodPost // the protection lets all safe methods pass
	if o.protection.Check(&asPost) != nil {
		return true
	}
	referer := r.Header.Get("Referer")
	switch {
	case r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "":
		return false
	case referer == "":
		return followedByCookie(r)
	}
	u, err := url.Parse(referer)
	if err != nil {
		return true
	}
	origin := strings.ToLower(u.Scheme + "://" + u.Host)
	return u.Host != r.Host && origin != o.ours && !o.listed[origin]
}

// followedByCookie tells whether a request that says nothing of where it comes from is a browser's, which
// brings the cookie along as it follows a link (of rel=noreferrer) or goes to an address that was typed: it
// asks for text/html then, as programs do not.
func followedByCookie(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	_, byCookie := wire.Token(r)
	return byCookie && strings.Contains(strings.ToLower(strings.Join(r.Header.Values("Accept"), ",")), "text/html")
}
