package blob_test

import (
	"fmt"
	"strings"
	"testing"

	"caesar/internal/blob"
)

func TestTheURLOfAStoreIsReadWholeAndPrintsWithoutItsSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s3://bucket":                            "s3://bucket/?endpoint=s3.amazonaws.com",
		"s3://bucket/":                           "s3://bucket/?endpoint=s3.amazonaws.com",
		"s3://bucket/a/b/":                       "s3://bucket/a/b/?endpoint=s3.amazonaws.com",
		"s3://KEY:hush@my.bucket/a?region=eu-x1": "s3://my.bucket/a/?endpoint=s3.amazonaws.com",
		"s3://KEY:hu%2Fsh+@bucket?endpoint=minio.example.org:9000": "s3://bucket/?endpoint=minio.example.org:9000",
		"s3+http://KEY:hush@bucket/%E5%87%AF?endpoint=[::1]:9000":  "s3+http://bucket/凯/?endpoint=[::1]:9000",
		"S3://bucket?endpoint=127.0.0.1":                           "s3://bucket/?endpoint=127.0.0.1",
	} {
		place, err := blob.ParseS3(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if place.String() != want {
			t.Errorf("%s is %s, want %s", text, place, want)
		}
		if all := fmt.Sprintf("%v %+v %#v %s", place, place, *place, place); strings.Contains(all, "hu") {
			t.Errorf("it prints as %s", all)
		}
	}
}

func TestAURLThatIsNotOfAStoreIsRefusedWithTheMend(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "must start with",
		"bucket":                            "must start with",
		"https://bucket":                    "must start with",
		"s3:bucket":                         "must be s3://",
		"s3:///prefix":                      "must be s3://",
		"s3://bucket#x":                     "must be s3://",
		"s3://bucket:9000/x":                "?endpoint=",
		"s3://KEY:hu/sh@bucket":             "percent-encoded",
		"s3://KEY:hu%zzsh@bucket":           "percent-encoded",
		"s3://Bucket":                       "lowercase",
		"s3://b":                            "lowercase",
		"s3://10.0.0.1":                     "lowercase",
		"s3://KEY@bucket":                   "needs a secret",
		"s3://:hush@bucket":                 "needs a secret",
		"s3://@bucket":                      "needs a secret",
		"s3://KEY:hu%20sh@bucket":           "ASCII",
		"s3://KEY:hu%0D%0Ash@bucket":        "ASCII",
		"s3://bucket/a//b":                  "single slashes",
		"s3://bucket/../b":                  "neither",
		"s3://bucket/a%00b":                 "can be seen",
		"s3://bucket/a%5Cb":                 "can be seen",
		"s3://bucket/%ff":                   "UTF-8",
		"s3://bucket/" + longText:           "900 bytes",
		"s3://bucket?hush":                  "endpoint and region only",
		"s3://bucket?endpoint=a&endpoint=b": "more than once",
		"s3://bucket?endpoint=":             "host or host:port",
		"s3://bucket?endpoint=http://a":     "host or host:port",
		"s3://bucket?endpoint=a/b":          "host or host:port",
		"s3://bucket?endpoint=a:0":          "host or host:port",
		"s3://bucket?endpoint=a:70000":      "host or host:port",
		"s3://bucket?endpoint=a:":           "host or host:port",
		"s3://bucket?endpoint=hush@a":       "host or host:port",
		"s3://bucket?region=EU":             "the region",
		"s3://bucket?region=":               "the region",
		"s3://bucket?a;b":                   "malformed",
		"s3+http://bucket":                  "needs ?endpoint=",
	} {
		_, err := blob.ParseS3(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hu") {
			t.Errorf("%s: the error is %v, want one with %q", text, err, want)
		}
	}
}

var longText = strings.Repeat("a", 901)

// FuzzParseS3 looks for a secret that an error repeats.
func FuzzParseS3(f *testing.F) {
	for _, around := range []string{"s3://KEY:|@bucket/prefix?endpoint=host", "s3://KEY:|@bucket:1", "s3://bucket?|", "|", "s3://|", "s3+http://a:|@b?endpoint=x|"} {
		before, after, _ := strings.Cut(around, "|")
		f.Add(before, after)
	}
	const secret = "wJalrXUtnFEMI%2FK7MDENG"
	f.Fuzz(func(t *testing.T, before, after string) {
		place, err := blob.ParseS3(before + secret + after)
		if err != nil && strings.Contains(err.Error(), "wJalr") {
			t.Errorf("the error is %v", err)
		}
		if err == nil && place == nil {
			t.Error("neither a place nor an error")
		}
	})
}
