package blob

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// amazon is where a bucket is looked for unless the URL names another store.
const amazon = "s3.amazonaws.com"

// mostPrefix is how many bytes of a key may stand before a blob's name: S3 takes keys of 1024.
const mostPrefix = 900

// S3Place is a place in a bucket of an S3 store, and how to get in. It prints without its secret.
type S3Place struct {
	endpoint string // host or host:port
	secure   bool   // whether by TLS
	region   string // empty: the store is asked
	bucket   string
	prefix   string // what all keys begin with: empty, or ends with a slash
	creds    *credentials.Credentials
	chained  bool // whether creds come from around the process, where there may be none
}

// ParseS3 reads where blobs lie:
//
//	s3://[KEY:SECRET@]bucket[/prefix][?endpoint=host:port&region=…]    over TLS
//	s3+http://…                                                        in the clear; endpoint is needed
//
// What is special in the key, the secret or the prefix is percent-encoded. Without a key, the usual places
// are looked through: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the shared credentials
// file, the role of the machine. Without an endpoint it is Amazon's; without a region the store is asked for
// it. Nothing is connected to. Errors do not repeat any of the URL, which holds a secret.
func ParseS3(rawURL string) (*S3Place, error) {
	p, err := parseS3(rawURL)
	if err != nil {
		return nil, errors.New("parse S3 store: " + err.Error())
	}
	return p, nil
}

func parseS3(rawURL string) (*S3Place, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("not a URL; what is special in the key, the secret or the prefix must be percent-encoded, such as / as %2F")
	}
	p := &S3Place{endpoint: amazon, secure: u.Scheme == "s3", bucket: u.Host}
	switch {
	case u.Scheme != "s3" && u.Scheme != "s3+http":
		return nil, errors.New("the URL must start with s3:// or s3+http://")
	case u.Opaque != "" || u.Host == "" || u.Fragment != "":
		return nil, errors.New("the URL must be s3://[KEY:SECRET@]bucket[/prefix], with ?endpoint= and &region= at most")
	case strings.Contains(u.Host, ":"):
		return nil, errors.New("a bucket stands where other URLs have the host; the store's own address goes into ?endpoint=host:port")
	case s3utils.CheckValidBucketNameStrict(u.Host) != nil:
		return nil, errors.New("the bucket must be 3 to 63 lowercase letters, digits, dots and dashes")
	}
	if p.prefix, err = parsePrefix(u.Path); err != nil {
		return nil, err
	}
	if err := p.setCredentials(u.User); err != nil {
		return nil, err
	}
	return p, p.setOptions(u)
}

func parsePrefix(path string) (string, error) {
	path = strings.Trim(path, "/")
	if path == "" {
		return "", nil
	}
	unseen := func(r rune) bool { return !unicode.IsPrint(r) || r == '\\' }
	if len(path) > mostPrefix || !utf8.ValidString(path) || strings.ContainsFunc(path, unseen) {
		return "", errors.New("the prefix must be at most 900 bytes of UTF-8 that can be seen, without backslashes")
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "", errors.New("the prefix must be names joined by single slashes, and neither . nor .. may be one")
		}
	}
	return path + "/", nil
}

func (p *S3Place) setCredentials(user *url.Userinfo) error {
	if user == nil {
		p.chained = true
		p.creds = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		})
		return nil
	}
	key := user.Username()
	secret, _ := user.Password()
	if key == "" || secret == "" {
		return errors.New("a key needs a secret, and a secret a key")
	}
	other := func(r rune) bool { return r <= ' ' || r > '~' }
	if strings.ContainsFunc(key, other) || strings.ContainsFunc(secret, other) {
		return errors.New("key and secret must be ASCII without spaces")
	}
	p.creds = credentials.NewStaticV4(key, secret, "")
	return nil
}

func (p *S3Place) setOptions(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("what follows the question mark is malformed")
	}
	for name, value := range values {
		switch {
		case name != "endpoint" && name != "region":
			return errors.New("what follows the question mark may be endpoint and region only")
		case len(value) != 1:
			return errors.New(name + " is given more than once")
		case name == "endpoint" && !isEndpoint(value[0]):
			return errors.New("the endpoint must be host or host:port, without http:// and without a path")
		case name == "endpoint":
			p.endpoint = value[0]
		case strings.Trim(value[0], "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || value[0] == "":
			return errors.New("the region must be lowercase letters, digits and dashes")
		default:
			p.region = value[0]
		}
	}
	if !p.secure && !values.Has("endpoint") {
		return errors.New("s3+http:// needs ?endpoint=host:port")
	}
	return nil
}

// isEndpoint holds for host and host:port.
func isEndpoint(text string) bool {
	u, err := url.Parse("//" + text)
	if err != nil || u.Host != text || u.Hostname() == "" || strings.HasSuffix(text, ":") {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	_, err = minio.New(text, &minio.Options{})
	return err == nil
}

// String returns the URL without what is secret in it, for the log.
func (p *S3Place) String() string {
	scheme := "s3"
	if !p.secure {
		scheme = "s3+http"
	}
	return scheme + "://" + p.bucket + "/" + p.prefix + "?endpoint=" + p.endpoint
}
