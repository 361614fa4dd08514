package testenv_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// failing is a session with something wrong in it, which happens again.
type failing struct {
	name   string
	host   testenv.SmarthostOptions
	change func(t *testing.T, f *testenv.Fault)
	script string // of the app, behind the greeting; ACCEPTED and so on stand for the usual lines
	app    testenv.App
	auth   *replay.Credentials

	reached session.Phase // by the dry run
	notSent string        // by the one that delivers
}

func untrusted(_ *testing.T, f *testenv.Fault) { f.Roots = nil }

// nobodyThere takes a port on which nothing listens, and that nobody can take.
func nobodyThere(t *testing.T, f *testenv.Fault) {
	refused := startFault(t, "connect.refused")
	f.Upstream, f.Resolver = refused.Upstream, refused.Resolver
}

func relayed(upstreamTLS, appTLS string) func(*testing.T, *testenv.Fault) {
	return func(_ *testing.T, f *testenv.Fault) { f.Relay.UpstreamTLS, f.Relay.AppTLS = upstreamTLS, appTLS }
}

func answering(phase session.Phase, a testenv.Answer) testenv.SmarthostOptions {
	return testenv.SmarthostOptions{Answers: map[session.Phase]testenv.Answer{phase: a}}
}

func refusals() []failing {
	from := func(who string) string { return hello + "-> MAIL FROM:<" + who + ">\n<- 2*\n" }
	return []failing{
		{name: "recipient refused", app: testenv.App{To: []string{"550_5.1.1@example.net"}}, reached: session.PhaseMail},
		{name: "one of three refused", app: testenv.App{To: []string{"a@example.net", "550_5.1.1@example.net", "452@example.net"}}, reached: session.PhaseRcpt},
		{name: "deferred", app: testenv.App{To: []string{"451_4.7.1@example.net"}}, reached: session.PhaseMail},
		{name: "sender refused", app: testenv.App{From: "mail550_5.7.1@example.com"}, reached: session.PhaseHelo},
		{name: "DATA refused", app: testenv.App{To: []string{"data554_5.6.0@example.net"}}, reached: session.PhaseRcpt},
		{name: "message refused", app: testenv.App{To: []string{"dot552_5.3.4@example.net"}}, reached: session.PhaseRcpt},
		{name: "greeting refused", host: answering(session.PhaseGreeting, testenv.Answer{Reply: "554 5.7.1 no service for you", Then: testenv.EndClose}), reached: session.PhaseConnect},
		{name: "421 to MAIL", host: answering(session.PhaseMail, testenv.Answer{Reply: "421 4.7.0 too many, try later", Then: testenv.EndClose}), reached: session.PhaseHelo},
		{name: "421 to RCPT", host: answering(session.PhaseRcpt, testenv.Answer{Reply: "421 4.7.0 too many, try later", Then: testenv.EndClose}), reached: session.PhaseMail},
		{name: "421 that nobody asked for", host: answering(session.PhaseMail, testenv.Answer{Reply: "250 2.1.0 Ok", Raw: "421 4.4.2 mail.example.com Error: timeout exceeded\r\n", Then: testenv.EndClose}),
			script: hello + "-> MAIL FROM:<app@example.com>\n<- 250*\n<- 421*\n", reached: session.PhaseMail},
		{name: "closed instead of a reply", host: answering(session.PhaseRcpt, testenv.Answer{Then: testenv.EndClose}), reached: session.PhaseMail},
		{name: "reset instead of a reply", host: answering(session.PhaseRcpt, testenv.Answer{Then: testenv.EndReset}), reached: session.PhaseMail},
		{name: "closed instead of a greeting", host: answering(session.PhaseGreeting, testenv.Answer{Then: testenv.EndClose}), reached: session.PhaseConnect},
		{name: "a group that is refused", script: hello + "=> MAIL FROM:<mail550_5.7.1@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nDATA\\r\\n\n<- 550*\n<- 503*\n<- 503*\n" + bye, reached: session.PhaseHelo},
		{name: "a group refused, and DATA all the same", script: hello + "=> MAIL FROM:<a@example.com>\\r\\nRCPT TO:<550_5.1.1@example.net>\\r\\nDATA\\r\\n\n<- 250*\n<- 550*\n<- 554*\n-> RSET\n<- 250*\n" + bye, reached: session.PhaseMail},
		{name: "BDAT without recipients", script: from("a@example.com") + "-> RCPT TO:<550_5.1.1@example.net>\n<- 550*\n=> BDAT 3 LAST\\r\\nhi\\n\n<- 554*\n" + bye, reached: session.PhaseMail},
		{name: "another sender behind a refusal", script: from("a@example.com") + "-> RCPT TO:<550_5.1.1@example.net>\n<- 550*\n-> RSET\n<- 250*\n" + envelope + message + bye, reached: session.PhaseRcpt},
		{name: "nested MAIL", script: from("a@example.com") + "-> MAIL FROM:<b@example.com>\n<- 503*\n" + bye, reached: session.PhaseMail},
		{name: "unknown commands", script: hello + "-> FROBNICATE now\n<- 502*\n-> ETRN example.com\n<- 502*\n" + bye, reached: session.PhaseHelo},
		{name: "leaves within the message", script: hello + envelope + "-> DATA\n<- 354*\n=> Subject: half\\r\\n\\r\\nof it\n! close\n", reached: session.PhaseRcpt,
			notSent: "DATA: the message was not passed on to its end"},
		{name: "smuggling", script: hello + envelope + "-> DATA\n<- 354*\n=> one\\n.\\ntwo\\r\\n.\\r\\n\n<- 554*\n", reached: session.PhaseRcpt,
			notSent: "DATA: the message was not passed on to its end"},
		{name: "a reply that is none", host: answering(session.PhaseMail, testenv.Answer{Raw: "hello?\r\n250 2.1.0 Ok\r\n"}), reached: session.PhaseMail},
	}
}

func oddities() []failing {
	long := "-> NOOP " + strings.Repeat("x", 17<<10) + "\n<- 500*\n"
	return []failing{
		{name: "refused connection", change: nobodyThere, script: "! eof\n", reached: session.PhaseConnect},
		{name: "certificate that nobody trusts", change: untrusted, reached: session.PhaseGreeting},
		{name: "the same, from the first octet", host: testenv.SmarthostOptions{Implicit: true},
			change: func(t *testing.T, f *testenv.Fault) { untrusted(t, f); f.Relay.UpstreamTLS = "implicit" }, reached: session.PhaseConnect},
		{name: "STARTTLS demanded and not offered", host: testenv.SmarthostOptions{NoTLS: true}, change: relayed("starttls", ""), reached: session.PhaseGreeting},
		{name: "STARTTLS that the proxy does not offer", script: hello + "-> STARTTLS\n<- 502*\n" + bye, reached: session.PhaseHelo},
		{name: "STARTTLS as the first word", app: testenv.App{Script: "<- 220*\n-> STARTTLS\n<- 220*\n! tls\n" + hello + envelope + message + bye}, change: relayed("auto", "offer"), reached: session.PhaseRcpt},
		{name: "the same with a certificate that nobody trusts", script: "-> STARTTLS\n<- 454*\n", change: func(t *testing.T, f *testenv.Fault) { untrusted(t, f); f.Relay.AppTLS = "offer" }, reached: session.PhaseGreeting},
		{name: "no TLS where it is required", script: hello + "-> MAIL FROM:<a@example.com>\n<- 530*\n" + bye, change: relayed("none", "require"), reached: session.PhaseHelo},
		{name: "an app that leaves its handshake", script: hello + "-> STARTTLS\n<- 220*\n! close\n", change: relayed("none", "offer"), reached: session.PhaseTLS,
			notSent: "TLS on the app's leg: the app's own handshake failed"},
		{name: "a line without end", script: hello + long + bye, reached: session.PhaseHelo,
			notSent: "a command: a line of more than 16384 octets, which the record does not hold"},
		{name: "a bare newline in a command", script: hello + "=> NOOP a\\nb\\r\\n\n<- 250*\n<- 502*\n" + bye, reached: session.PhaseHelo},
		{name: "NUL and high octets in a command", script: hello + "=> NOOP a\\0b\\xff\\r\\n\n<- 250*\n" + bye, reached: session.PhaseHelo},
		{name: "HTTP", script: "=> GET /?q=1 HTTP/1.1\\r\\n\n<- 554*\n", reached: session.PhaseGreeting},
		{name: "talks before the greeting", app: testenv.App{Script: "=> EHLO app.localhost\\r\\n\n<- 220*\n<- 250*\n" + bye}, reached: session.PhaseHelo},
		{name: "does not wait for EHLO", script: "=> EHLO app.localhost\\r\\nMAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\n\n<- 250*\n<- 250*\n<- 250*\n" + bye, reached: session.PhaseRcpt},
		{name: "does not wait for 354", script: hello + envelope + "=> DATA\\r\\nSubject: x\\r\\n\\r\\nhello\\r\\n.\\r\\nQUIT\\r\\n\n<- 354*\n<- 250*\n<- 221*\n", reached: session.PhaseRcpt},
		{name: "an AUTH that is broken off", script: hello + "-> AUTH PLAIN\n<- 334*\n-> *\n<- 501*\n" + bye, reached: session.PhaseHelo, auth: right(),
			notSent: "AUTH PLAIN: the app broke it off"},
		{name: "AUTH in two lines", script: hello + "-> AUTH PLAIN\n<- 334*\n-> AGFwcABhYmNkZWZnaGlqa2xtbm9w\n<- 235*\n" + bye, reached: session.PhaseAuth, auth: right()},
		{name: "two megabytes", app: testenv.App{Message: []byte(strings.Repeat(strings.Repeat("x", 76)+"\r\n", 27000))}, reached: session.PhaseRcpt},
		{name: "a wrong password", host: testenv.SmarthostOptions{User: "app", Password: "another"}, app: testenv.App{User: "app", Password: "abcdefghijklmnop"}, auth: right(), reached: session.PhaseHelo},
	}
}

func right() *replay.Credentials {
	return &replay.Credentials{User: "app", Password: "abcdefghijklmnop"}
}

func signIns() (all []failing) {
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"} {
		auth := right()
		if strings.Contains(mechanism, "OAUTH") {
			auth = &replay.Credentials{User: "app", Token: "abcdefghijklmnop"}
		}
		all = append(all, failing{
			name: "AUTH " + mechanism, auth: auth, reached: session.PhaseRcpt,
			host: testenv.SmarthostOptions{EHLO: []string{"AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER"}, NoTLS: true},
			app:  testenv.App{User: "app", Password: "abcdefghijklmnop", Mechanism: mechanism},
		})
	}
	return all
}

func TestFailuresReplayTheSame(t *testing.T) {
	t.Parallel()
	byName := map[string]failing{}
	var names []string
	for _, f := range slices.Concat(refusals(), oddities(), signIns()) {
		names = append(names, f.name)
		byName[f.name] = f
	}
	eachAtOnce(t, names, func(t *testing.T, name string) { byName[name].check(t) })
}

func (w failing) check(t *testing.T) {
	host := newSmarthost(t, w.host)
	f := &testenv.Fault{Upstream: host.Addr(), Roots: host.Roots()}
	if w.change != nil {
		w.change(t, f)
	}
	c := rerunCase{name: w.name, app: w.app, auth: w.auth, notSent: w.notSent}
	if w.script != "" {
		c.app.Script = "<- *\n" + w.script
	}
	c.check(t, f, host.Mailbox)
	r := startRerun(t, f)
	s := c.record(t, f)
	got := r.play(t, s.recording(), replay.Options{Auth: w.auth})
	if got.Reached != w.reached || got.Recorded != w.reached || got.Err != nil {
		t.Errorf("a dry run reached %s of %s, want %s:\n%s", got.Reached, got.Recorded, w.reached, told(got, s))
	}
	if phase, short := got.Short(); short {
		t.Errorf("short in phase %s, want not at all", phase)
	}
}
