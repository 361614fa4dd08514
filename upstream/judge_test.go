package upstream_test

import (
	"crypto/tls"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// judge judges the chain of cert as passthrough has read it.
func judge(c *upstream.Connector, cert tls.Certificate) *session.TLS {
	facts := &session.TLS{Passthrough: true, Version: "TLS 1.2", Sent: cert.Certificate, Staple: cert.OCSPStaple}
	c.Judge(time.Now(), host, facts)
	return facts
}

// Whatever Secure says of a chain, Judge says of the same chain read on its way.
func TestJudgeAgreesWithSecure(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	for name, cert := range map[string]tls.Certificate{
		"good":              made(t)(ca.Leaf(host)),
		"stapled":           made(t)(ca.Stapled(ocsp.Good, host)),
		"revoked":           made(t)(ca.Stapled(ocsp.Revoked, host)),
		"expired":           made(t)(ca.Expired(host)),
		"not yet valid":     made(t)(ca.NotYetValid(host)),
		"of another name":   made(t)(ca.Leaf("mail.example.net")),
		"self-signed":       made(t)(testenv.SelfSigned(host)),
		"untrusted":         made(t)(other.WithRoot(host)),
		"incomplete":        made(t)(ca.WithoutIntermediate(host)),
		"weak":              made(t)(ca.Weak(host)),
		"of wrong usage":    made(t)(ca.WrongUsage(host)),
		"by the root alone": made(t)(ca.Direct(host)),
	} {
		c := newConnector(t, upstream.Options{Roots: ca.Pool()})
		addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
		want := secure(t, c, addr, host).facts
		got := judge(c, cert)
		if got.Sent != nil || got.Staple != nil {
			t.Errorf("%s: what was judged is still there", name)
		}
		if got.Verified != want.Verified || got.Verify != want.Verify || got.Error != want.Error || got.Stapled != want.Stapled ||
			got.RootHint != want.RootHint || !reflect.DeepEqual(got.Chain, want.Chain) || !reflect.DeepEqual(got.Path, want.Path) {
			t.Errorf("%s: judged as %+v, want as in a handshake: %+v", name, got, want)
		}
	}
}

func TestJudgePath(t *testing.T) {
	ca := newCA(t)
	c := newConnector(t, upstream.Options{Roots: ca.Pool()})
	cert := made(t)(ca.Leaf(host))
	facts := judge(c, cert)
	if len(facts.Path) != 3 || facts.Path[0].Names[0] != host || facts.Path[2].Subject != ca.Root().Subject.String() {
		t.Errorf("path %+v, want leaf, intermediate and root", facts.Path)
	}
	if again := judge(c, cert); &again.Path[0] != &facts.Path[0] || &again.Chain[0] != &facts.Chain[0] {
		t.Error("the facts of a chain seen before were made anew, want them shared")
	}
	if lone := judge(c, made(t)(ca.WithoutIntermediate(host))); lone.Path != nil {
		t.Errorf("path of a chain that reaches no root: %+v, want none", lone.Path)
	}
}

func TestJudgeUnreadable(t *testing.T) {
	ca := newCA(t)
	c := newConnector(t, upstream.Options{Roots: ca.Pool()})
	good := made(t)(ca.Leaf(host)).Certificate
	for name, sent := range map[string][][]byte{
		"certificate 1": {[]byte("no DER"), good[1]},
		"certificate 2": {good[0], good[1][:40]},
	} {
		facts := &session.TLS{Sent: sent}
		c.Judge(time.Now(), host, facts)
		if facts.Verified || facts.Verify != session.VerifyOther || !strings.Contains(facts.Error, name) || facts.Sent != nil {
			t.Errorf("unreadable %s: facts %+v; want class other, and which one", name, facts)
		}
	}
}

func TestJudgeNothing(t *testing.T) {
	facts := &session.TLS{Version: "TLS 1.3"}
	newConnector(t, upstream.Options{}).Judge(time.Now(), host, facts)
	if !reflect.DeepEqual(*facts, session.TLS{Version: "TLS 1.3"}) {
		t.Errorf("a chain that TLS 1.3 hid: facts %+v, want nothing added", facts)
	}
}

// FuzzJudge feeds chains that no handshake has checked: whatever they hold,
// the verdict is in and agrees with itself.
func FuzzJudge(f *testing.F) {
	ca, err := testenv.NewCA()
	if err != nil {
		f.Fatal(err)
	}
	cert, err := ca.Stapled(ocsp.Good, host)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cert.Certificate[0], cert.Certificate[1], cert.OCSPStaple)
	f.Add([]byte{0x30}, []byte{}, []byte{0x30, 0x80})
	c, err := upstream.New(upstream.Options{Roots: ca.Pool()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, leaf, above, staple []byte) {
		facts := &session.TLS{Sent: [][]byte{leaf, above}, Staple: staple}
		c.Judge(time.Now(), host, facts)
		if facts.Verified != (facts.Verify == "") || facts.Verified != (facts.Error == "") {
			t.Errorf("leaf %x: verified %v, but verify %q and error %q", leaf, facts.Verified, facts.Verify, facts.Error)
		}
	})
}
