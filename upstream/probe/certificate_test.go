package probe_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

func TestCertificate(t *testing.T) {
	tests := []struct {
		name      string
		smarthost smarthost
		sni       string
		result    string
		cause     string
		text      string
	}{
		{"good", smarthost{}, "", "ok", "", "shows a certificate for smtp.example.com"},
		{"good, TLS 1.2", smarthost{max: tls.VersionTLS12}, "", "ok", "", "that verifies"},
		{"TLS 1.0", smarthost{min: tls.VersionTLS10, max: tls.VersionTLS10}, "", "ok", "", "that verifies"},
		{"expired", smarthost{cert: (*testenv.CA).Expired}, "", "fail", "tls.certificate-expired", "expired on"},
		{"self-signed", smarthost{cert: selfSigned}, "", "fail", "tls.certificate-self-signed", "self-signed"},
		{"another name asked for", smarthost{}, "mail.example.org", "fail", "tls.certificate-name-mismatch", "not for mail.example.org"},
		{"name refused", smarthost{sni: "refused"}, "", "fail", "", "unrecognized name"},
		{"asks for a certificate", smarthost{client: tls.RequestClientCert}, "", "ok", "", "that verifies"},
		{"insists on a certificate", smarthost{client: tls.RequireAnyClientCert}, "", "fail", "tls.client-certificate-required", "asks for a client certificate"},
		{"insists on a certificate, TLS 1.2", smarthost{client: tls.RequireAnyClientCert, max: tls.VersionTLS12}, "", "fail", "tls.client-certificate-required", "asks for a client certificate"},
	}
	ca := newCA(t)
	p := newProber(t, ca.Pool(), probe.Options{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := p.Certificate(t.Context(), target(test.smarthost.open(t, ca), upstream.ModeSTARTTLS), test.sni)
			if e.Probe.Result != test.result || e.Probe.Cause != test.cause || !strings.Contains(e.Text, test.text) {
				t.Errorf("got %s %q, %q; want %s %q, %q", e.Probe.Result, e.Probe.Cause, e.Text, test.result, test.cause, test.text)
			}
			if wants := test.smarthost.client != tls.NoClientCert; e.TLS.AskedCert != wants {
				t.Errorf("asked for a certificate: %v, want %v", e.TLS.AskedCert, wants)
			}
			if got := len(e.TLS.Chain) > 0; got != (test.smarthost.sni == "") {
				t.Errorf("a chain in the facts: %v", got)
			}
			if e.TLS.Sent != nil || e.TLS.Staple != nil {
				t.Error("the chain as octets is still in the facts")
			}
		})
	}
}

func TestCertificateIsKept(t *testing.T) {
	ca := newCA(t)
	addr := smarthost{}.open(t, ca)
	p := newProber(t, ca.Pool(), probe.Options{})
	for i := range 3 {
		e := p.Certificate(t.Context(), target(addr, upstream.ModeSTARTTLS), "")
		if e.Probe.Result != "ok" || e.Probe.Cached != (i > 0) {
			t.Errorf("answer %d: %+v, want ok, cached %v", i, *e.Probe, i > 0)
		}
	}
	if got, want := p.Counts(), (probe.Counts{Asked: 3, Cached: 2, Connections: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestCertificateOfImplicitTLS(t *testing.T) {
	ca := newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []tls.ClientAuthType{tls.NoClientCert, tls.RequireAnyClientCert} {
		cfg := &tls.Config{Certificates: []tls.Certificate{leaf}, ClientAuth: client}
		s := start(t, testenv.SmarthostOptions{Implicit: true, TLS: cfg})
		p := newProber(t, ca.Pool(), probe.Options{})
		e := p.Certificate(t.Context(), target(s.Addr(), upstream.ModeImplicit), "")
		if want := client == tls.NoClientCert; (e.Probe.Result == "ok") != want || (e.Fault == nil) != want {
			t.Errorf("ClientAuth %v: %+v %q, fault %+v", client, *e.Probe, e.Text, e.Fault)
		}
	}
}
