package diagnose_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect/diagnose"
)

// TestJudge wants the same of one reading as of three: every session of a
// course gets the findings, the provider and the memory that Provider, Annotate
// and Remember give it.
func TestJudge(t *testing.T) {
	one, three := newCourse(t, diagnose.Options{}), newCourse(t, diagnose.Options{})
	for i, dialogue := range []string{
		wellDone, wellDone,
		replaced("U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"),
		strings.Replace(wellDone, "Postfix", "Exim 4.98", 1),
		"open\nU: 220 mx.google.com ESMTP d9443c01a7336 - gsmtp\nA: EHLO a\nU: 250 mx\nclose upstream\nend",
		"open\nclose upstream\nend",
		replaced("U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"),
	} {
		s, want := one.session(dialogue), three.session(dialogue)
		s.Ended, want.Ended = one.now.Add(time.Second), three.now.Add(time.Second)
		got := one.engine.Judge(s)
		want.Upstream.Provider = three.engine.Provider(want)
		findings := three.engine.Annotate(want)
		three.engine.Remember(want, findings)
		if !reflect.DeepEqual(got, findings) || s.Upstream.Provider != want.Upstream.Provider {
			t.Errorf("session %d: got %q from %q, want %q from %q\n%s", i, causes(got), s.Upstream.Provider, causes(findings), want.Upstream.Provider, dialogue)
		}
	}
}

// TestProviderIsRemembered asks about many upstreams that say something else
// each time, more than are remembered, twice each.
func TestProviderIsRemembered(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for range 2 {
		for i := range 300 {
			id := strings.Repeat("x", i+1)
			for upstream, want := range map[string]string{"mx.example.com:587": "postfix", "smtp.gmail.com:587": "gmail"} {
				s := play(t, upstream, "open\nU: 220 "+id+".example.com ESMTP Postfix\nA: EHLO a\nU: 250 "+id+"\nend")
				if got := e.Provider(s); got != want {
					t.Fatalf("%s greets as %s: got provider %q, want %q", upstream, id, got, want)
				}
			}
		}
	}
}
