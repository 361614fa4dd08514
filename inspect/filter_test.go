package inspect

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

func sample() *Session {
	return &Session{
		ID: "01JABC", Started: time.Now().Add(-time.Hour), Route: "default", Outcome: Rejected,
		App:      AppLeg{Addr: "127.0.0.1:53212", Helo: "app.local"},
		Upstream: UpstreamLeg{Name: "smtp.gmail.com:587", Addr: "192.0.2.10:587", Provider: "gmail", TLS: &session.TLS{Version: "TLS 1.2"}},

		Passthrough: true,
		Auth:        &Auth{Auth: session.Auth{Username: "Me@example.com"}},
		Messages:    []Message{{From: "a@Example.com", Subject: "Hello World", To: []Recipient{{Addr: "bob@example.net", Code: 550, Enhanced: "5.1.1", Text: "no such user"}}}},
		Codes:       []string{"535 5.7.8"},
		Findings:    []Finding{{Cause: "recipient.unknown", Title: "no such mailbox"}},
	}
}

func TestFilterMatch(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                true,
		"cause:recipient.*":               true,
		"CAUSE:Recipient.Unknown":         true,
		"cause:recipient":                 false,
		"-cause:tls.*":                    true,
		"!cause:recipient.*":              false,
		"outcome:rejected":                true,
		"outcome:rej*":                    true,
		"upstream:smtp.gmail.com":         true,
		"upstream:smtp.gmail.com:587":     true,
		"upstream:192.0.2.10":             true,
		"upstream:gmail":                  false,
		"provider:gmail":                  true,
		"from:*@example.com":              true,
		"from:example.com":                true,
		"to:bob":                          true,
		"to:bob@example.net":              true,
		"to:bob@example":                  false,
		"code:550":                        true,
		"code:5xx":                        true,
		"code:5.1.1":                      true,
		"code:535":                        true,
		"code:5.7.*":                      true,
		"code:421":                        false,
		"since:2h":                        true,
		"since:30m":                       false,
		"before:30m":                      true,
		"since:2020-01-02":                true,
		"before:2020-01-02T15:04:05Z":     false,
		"app:127.0.0.1":                   true,
		"app:app.local":                   true,
		"id:01ja":                         true,
		"tls:passthrough":                 true,
		"tls:1.2":                         true,
		`tls:"TLS 1.*"`:                   true,
		"tls:1.3":                         false,
		"route:default":                   true,
		"user:me@example.com":             true,
		"subject:world":                   true,
		`subject:"hello world"`:           true,
		`"such user"`:                     true,
		"mailbox -outcome:delivered":      true,
		"outcome:rejected to:alice":       false,
		`from:*@example.com "hello" 5.1*`: false,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("ParseFilter(%q): %v", text, err)
			continue
		}
		if got := f.At(time.Now()).Match(sample()); got != want {
			t.Errorf("%q matches: %v, want %v", text, got, want)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	for text, want := range map[string]string{
		"colour:red":     "use one of app, before, cause",
		"since:noon":     "since:noon is no time",
		"outcome:great":  "use one of delivered",
		`subject:"never`: "has no end",
		"from:":          "has no value",
		"-":              "a word is empty",
	} {
		if _, err := ParseFilter(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseFilter(%q) = %v, want %q in it", text, err, want)
		}
	}
}

// FuzzFilter checks that a filter reads back what it writes.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"cause:tls.* -from:a@b", `"two words" since:2h`, `!subject:"a \" b\\" x:y`, "before:2026-11-20T15:04:05.5+02:00", `-"-x" !"!y"`, "a\"b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseFilter(text)
		if err != nil {
			return
		}
		again, err := ParseFilter(first.String())
		if err != nil {
			t.Fatalf("ParseFilter(%q), made of %q: %v", first.String(), text, err)
		}
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("%q became %q:\ngot  %#v\nwant %#v", text, first.String(), again, first)
		}
		first.Match(&Session{})
	})
}

// FuzzGlob checks that a pattern matches what it was made of.
func FuzzGlob(f *testing.F) {
	f.Add("abc", 1, 2)
	f.Fuzz(func(t *testing.T, text string, from, to int) {
		text = strings.ToLower(strings.ToValidUTF8(text, ""))
		if from < 0 || to < from || to > len(text) || strings.ToLower(text) != text {
			return
		}
		pattern := text[:from] + "*" + text[to:]
		if !glob(pattern, text) {
			t.Errorf("glob(%q, %q) = false", pattern, text)
		}
	})
}
