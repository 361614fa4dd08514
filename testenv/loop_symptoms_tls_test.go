package testenv_test

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// tlsSymptoms are complaints about encryption, on either leg.
func tlsSymptoms() []symptom {
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format("2006-01-02")
	return []symptom{
		{id: "S20", sees: "TLS fails right behind STARTTLS",
			check: each(shows("tls.handshake-reset", "mail.example.com"), shows("tls.handshake-reset/closed"), shows("tls.handshake-corrupt"),
				shows("tls.handshake-timeout"), shows("tls.starttls-refused", "454 4.7.0"))},
		{id: "S21", sees: "the certificate has expired",
			check: each(shows("tls.certificate-expired", "mail.example.com", yesterday), shows("tls.certificate-expired/intermediate", yesterday))},
		{id: "S22", sees: "the certificate is not valid yet, or a clock is wrong",
			check: each(shows("tls.certificate-not-yet-valid", "mail.example.com"), shows("tls.clock-skew", "the greeting says"))},
		{id: "S23", sees: "an intermediate certificate is missing",
			check: each(shows("tls.chain-incomplete", "mail.example.com", "CN=smtp-proxy test intermediate", "/intermediate.crt", "the proxy fetched it"),
				shows("tls.chain-incomplete/lost", "CN=smtp-proxy test intermediate"))},
		{id: "S24", sees: "the certificate signs itself",
			check: shows("tls.certificate-self-signed", "--upstream-ca")},
		{id: "S25", sees: "the certificate names another host",
			check: each(shows("tls.certificate-name-mismatch", "mail.example.com", "mail.other.example", "www.mail.other.example"),
				shows("tls.certificate-name-mismatch/redirected", "smtp.gmail.com", "server12.web-hosting.com", "Namecheap"))},
		{id: "S26", sees: "the root is missing on this side",
			check: each(shows("tls.certificate-untrusted", "--upstream-ca"), shows("tls.certificate-untrusted/intercepted", "Avast"), shows("tls.app-rejected-certificate", "smtp-proxy ca show"),
				explains("", "x509: certificate signed by unknown authority", "tls.certificate-untrusted"))},
		{id: "S27", sees: "the app's TLS is too old",
			check: shows("tls.app-version-mismatch", "TLS 1.1")},
		{id: "S28", sees: "the smarthost's TLS is too old",
			left:  "which versions it does speak, where the app's leg is in clear",
			check: each(shows("tls.version-mismatch", "mail.example.com"), predicts("tls.version-mismatch", "tls versions", "takes TLS 1.0 and TLS 1.1"))},
		{id: "S29", sees: "no cipher in common",
			left:  "which ciphers it does take, where the app's leg is in clear",
			check: each(shows("tls.cipher-mismatch", "mail.example.com"), predicts("tls.cipher-mismatch", "cipher suites", "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"))},
		{id: "S30", sees: "the server name is missing in the handshake",
			check: shows("tls.sni-required")},
		{id: "S31", sees: "SSL where STARTTLS is due, or the other way round",
			left: "what a silent port expects, where it is not one of the usual: a handshake would tell",
			check: each(shows("tls.plaintext-expected", "--upstream-tls"), shows("tls.plaintext-expected/app", "--app-tls"), shows("tls.implicit-expected/app", "--app-tls"),
				explains("smtp.example.com:587", "error:1408F10B:SSL routines:ssl3_get_record:wrong version number", "tls.plaintext-expected"),
				explains("smtp.example.com:587", "tls: first record does not look like a TLS handshake", "tls.plaintext-expected"))},
		{id: "S32", sees: "STARTTLS is missing: something on the path removed it",
			left:  "what the same host offers by another path",
			check: each(shows("tls.stripped", "XXXXXXXA"), shows("tls.not-offered"))},
		{id: "S33", sees: "the smarthost's own TLS to the next server fails",
			check: explains("smtp.example.com:587", "454 4.7.5 SSL_connect error to mx.example.net[192.0.2.9]:25: Connection reset by peer", "upstream.routing-failure", "mx.example.net", "next server")},
		{id: "S34", sees: "whose error is it? The smarthost's, about somebody else",
			check: explains("smtp.example.com:587", `host gmail-smtp-in.l.google.com[192.0.2.26] said: 550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM. (in reply to end of DATA command)`,
				"sender.unauthenticated", "these are the words of gmail-smtp-in.l.google.com, which your smarthost passes on")},
		{id: "S35", sees: "is it a glitch, or always so?",
			check: each(seldom, always)},
		{id: "S36", sees: "may verification be switched off for a test?",
			check: unverified},
		{id: "S37", sees: "when has the certificate to be renewed?",
			check: endsSoon},
	}
}

// unverified is a relay that is told to go on: the mail is delivered, and the
// verdict on the certificate is on record all the same.
func unverified(t *testing.T, b bench) {
	f := startFault(t, "tls.certificate-self-signed")
	s := startLoop(t, f, trusting(t, f)).run(t, f)[0]
	b.want(t, s, "tls.certificate-self-signed", nil)
	if s.Outcome != inspect.Delivered || s.Upstream.TLS == nil || s.Upstream.TLS.Verified {
		t.Errorf("got outcome %s and TLS %+v, want delivered and not verified", s.Outcome, s.Upstream.TLS)
	}
}

// endsSoon is a certificate in its last days.
func endsSoon(t *testing.T, b bench) {
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.EndingSoon("mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	f := named(t, testenv.SmarthostOptions{TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}})
	f.Roots = ca.PEM()
	s := startLoop(t, f).run(t, f)[0]
	wantHealthy(t, b.engine, s)
	var chain []session.Certificate
	if s.Upstream.TLS != nil {
		chain = s.Upstream.TLS.Chain
	}
	if len(chain) == 0 || !chain[0].NotAfter.Equal(leaf.Leaf.NotAfter) || time.Until(chain[0].NotAfter) > 30*24*time.Hour {
		t.Errorf("got chain %+v, want a leaf that ends on %s", chain, leaf.Leaf.NotAfter)
	}
	if !slices.ContainsFunc(s.Events, func(e session.Entry) bool { return e.Odd == session.OddExpiring && e.Kind == session.KindNote }) {
		t.Errorf("got no note of the end that is near\n%s", transcript(s))
	}
}

// predicts demands, of an app under TLS on its own leg, what would stop it on
// its way to the smarthost without the proxy: the cause of the fault, and the
// setting.
func predicts(id, setting string, words ...string) check {
	return func(t *testing.T, b bench) {
		t.Helper()
		f := startFault(t, id)
		f.Relay.AppTLS, f.App.TLS = "implicit", testenv.AppImplicit
		l := startLoop(t, f)
		s := l.run(t, f)[0]
		l.inquire(t, b.engine, s)
		b.want(t, s, f.Cause, nil)
		if s.Direct == nil || !s.Direct.Tested || s.Direct.WouldConnect || s.Direct.Cause != f.Cause || s.Direct.Setting != setting {
			t.Fatalf("got the prediction %+v, want %s by %q\n%s", s.Direct, f.Cause, setting, transcript(s))
		}
		for _, w := range words {
			if !strings.Contains(s.Direct.Text, w) {
				t.Errorf("got the prediction %q, want %q in it", s.Direct.Text, w)
			}
		}
	}
}
