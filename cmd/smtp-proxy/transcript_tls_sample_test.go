package main

import (
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// through builds a passthrough session up to its handshake.
func through(outcome inspect.Outcome) *script {
	s := newScript(outcome)
	s.s.Passthrough = true
	s.add(session.Entry{Kind: session.KindOpen, Leg: session.Upstream, From: session.FromProxy,
		Dial: &session.Dial{Host: "smtp.example.com", Addr: "192.0.2.10:587", Family: "ipv4", Duration: 12 * time.Millisecond}})
	s.add(session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, From: session.FromUpstream, Code: 220, Text: "220 smtp.example.com ESMTP ready", Wait: 43 * time.Millisecond})
	s.say("EHLO app.local").hear(11*time.Millisecond, 250, "250-smtp.example.com\n250 STARTTLS")
	s.say("STARTTLS").hear(9*time.Millisecond, 220, "220 2.0.0 Ready to start TLS")
	return s
}

func appHello() *session.TLS {
	return &session.TLS{
		Passthrough: true, Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Group: "X25519MLKEM768", ServerName: "smtp.example.com", Duration: 34 * time.Millisecond,
		Hello: &session.Hello{
			Versions: []string{"TLS 1.3", "TLS 1.2"}, Ciphers: []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "a", "b", "c"},
			Groups: []string{"X25519MLKEM768", "X25519", "P-256"}, SNI: "smtp.example.com", JA4: "t13d131000_f57a46bbacb6_e7c285222651",
		},
		Flights: []session.Flight{{From: "app", Records: 1, Bytes: 1495}, {From: "upstream", Records: 4, Bytes: 3020, At: 12 * time.Millisecond}, {From: "app", Records: 2, Bytes: 80, At: 15 * time.Millisecond}},
	}
}

// tunnelled is a passthrough session that went well.
func tunnelled() *inspect.Session {
	s := through(inspect.NoMail)
	s.tls(session.App, appHello(), nil)
	s.s.App.TLS = appHello()
	s.tls(session.Upstream, &session.TLS{Passthrough: true, Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", ServerName: "smtp.example.com"}, nil)
	s.note(false, "the tunnel carried 13011 octets from the app and 4312 from the upstream")
	s.add(session.Entry{Kind: session.KindClose, From: session.FromApp, Leg: session.App, Text: "the app closed the connection",
		TCP: &session.TCP{RTT: 300 * time.Microsecond}, Silent: &session.Silent{App: time.Millisecond, Upstream: 2 * time.Millisecond}})
	return s.end(812 * time.Millisecond)
}

// refusedTunnel is an app that refused the certificate under TLS 1.3, and the
// probe that says why.
func refusedTunnel() *inspect.Session {
	s := through(inspect.Failed)
	h := appHello()
	h.Flights[2].Bytes = 24
	s.tls(session.App, h, &session.Fault{Op: "handshake", Class: session.FaultHiddenAlert, Text: "an encrypted record of an alert's size, and then the end"})
	s.tls(session.Upstream, &session.TLS{Passthrough: true, Version: "TLS 1.3", ServerName: "smtp.example.com"}, nil)
	s.add(session.Entry{Kind: session.KindClose, From: session.FromApp, Leg: session.App, Text: "the app left: connection reset by peer", Fault: &session.Fault{Class: session.FaultReset, Text: "connection reset by peer"},
		TCP: &session.TCP{RTT: 300 * time.Microsecond, Retransmits: 2}, Silent: &session.Silent{App: time.Millisecond, Upstream: 2 * time.Millisecond}})
	c := certificate()
	c.NotAfter, c.Signature = noon.AddDate(0, 0, -12), "ECDSA-SHA256"
	s.own = true
	s.add(session.Entry{Kind: session.KindProbe, From: session.FromProxy, Leg: session.Upstream, Text: "certificate has expired on 2026-11-08",
		TLS:   &session.TLS{Version: "TLS 1.3", Chain: []session.Certificate{c}, Verify: session.VerifyExpired, Error: "certificate has expired on 2026-11-08"},
		Probe: &session.Probe{Name: "certificate", Target: "smtp.example.com:587", Result: "fail", Cause: "tls.certificate-expired"}})
	s.find(inspect.Finding{Cause: "tls.certificate-expired", Certainty: inspect.Likely, Title: "The certificate has expired", Evidence: []inspect.Evidence{{Event: 7}, {Event: 10}}, Retry: inspect.Retry{Advice: "after-fix"}})
	return s.end(90 * time.Millisecond)
}

// incompleteChain lacks an intermediate, which was found; and the app would
// not get through alone.
func incompleteChain() *inspect.Session {
	s := opening(inspect.Failed)
	leaf := certificate()
	leaf.Key, leaf.Signature, leaf.AIA = "ECDSA P-256", "ECDSA-SHA256", []string{"http://ca.example.com/issuer.der"}
	issuer := session.Certificate{Subject: "CN=Example CA", Issuer: "CN=Example Root", NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(4, 0, 0), Key: "RSA 4096", CA: true}
	s.tls(session.Upstream, &session.TLS{Version: "TLS 1.2", Chain: []session.Certificate{leaf}, Verify: session.VerifyIncomplete, Error: "the chain is incomplete",
		Repaired: []session.Certificate{issuer}, Stapled: "good", Interceptor: "Avast (it scans mail on this machine)"}, &session.Fault{Class: session.FaultCertificate, Text: "the chain is incomplete"})
	s.add(session.Entry{Kind: session.KindProbe, From: session.FromProxy, Leg: session.Upstream, Text: "the app offers TLS 1.0 only", Probe: &session.Probe{Name: inspect.ProbeDirect, Target: "smtp.example.com:587", Result: "fail", Cached: true}})
	s.s.Direct = &inspect.Direct{Tested: true, Cause: "tls.app-version-mismatch", Setting: "tls versions", Text: "the app offers TLS 1.0 only"}
	return s.end(time.Second)
}
