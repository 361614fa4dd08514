package testenv_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// A smarthost with much to say is none that does not end: an EHLO reply of
// many kilobytes, and a reply to MAIL that is longer
// than what is kept of it.
func TestLongRepliesAreHealthy(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	keywords := []string{"SIZE 10240000", "ENHANCEDSTATUSCODES"}
	for i := range 1000 {
		keywords = append(keywords, fmt.Sprintf("X-EXTENSION-%d WITH A PARAMETER", i))
	}
	f := named(t, testenv.SmarthostOptions{EHLO: keywords, NoTLS: true, Answers: map[session.Phase]testenv.Answer{
		session.PhaseMail: {Reply: strings.Repeat("250-2.1.0 Sender ok, and so on\n", 3000) + "250 2.1.0 Ok"},
	}})
	f.Relay.UpstreamTLS, f.Sends = "none", 1
	for _, s := range startLoop(t, f).run(t, f) {
		if s.Outcome != inspect.Delivered {
			t.Errorf("got outcome %s, want it delivered", s.Outcome)
		}
		for _, found := range engine.Annotate(s) {
			t.Errorf("found %s (%s): %+v", found.Cause, found.Rule, found.Evidence)
		}
	}
	c := examine(t, f, exam{script: probe.Script{Name: "app.localhost"}, within: time.Minute})
	c.wantNothing(t, engine)
}
