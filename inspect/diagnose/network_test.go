package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

func sessionOf(t *testing.T, upstream string, entries ...session.Entry) *inspect.Session {
	t.Helper()
	s := newScript(t, upstream)
	for _, e := range entries {
		s.add(e)
	}
	s.asm.Close(s.now)
	return s.asm.Session()
}

func dialFault(class session.FaultClass, addr string) session.Entry {
	return session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindError, Phase: session.PhaseConnect,
		Dial: &session.Dial{Host: "smtp.example.com", Addr: addr}, Fault: &session.Fault{Op: "dial", Class: class, Text: string(class)}, Text: "dial " + addr + ": " + string(class)}
}

func lookupFault(class session.FaultClass) session.Entry {
	return session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindError, Phase: session.PhaseConnect,
		Lookup: &session.Lookup{Name: "smtp.gmial.com", Type: "A"}, Fault: &session.Fault{Op: "lookup", Class: class, Text: string(class)}, Text: "lookup: " + string(class)}
}

// The proxy's own 421 is what the app sees; it is no reply to be explained.
func ownRefusal(text string) session.Entry {
	return session.Entry{Leg: session.App, From: session.FromProxy, Kind: session.KindReply, Phase: session.PhaseConnect, Code: 421, Enhanced: "4.4.1", Text: text}
}

func TestNetworkCauses(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for _, tt := range []struct {
		want     string
		contains string
		entries  []session.Entry
	}{
		{"connect.refused", "smtp.gmial.com refuses connections on port 587", []session.Entry{dialFault(session.FaultRefused, "192.0.2.10:587"), ownRefusal("421 4.4.1 smtp-proxy: connection refused")}},
		{"connect.dns-no-such-host", "smtp.gmail.com", []session.Entry{lookupFault(session.FaultNoSuchHost), ownRefusal("421 4.4.1 smtp-proxy: no such host")}},
		{"connect.dns-failure", "", []session.Entry{lookupFault(session.FaultDNS)}},
		{"connect.timeout", "", []session.Entry{dialFault(session.FaultTimeout, "192.0.2.10:587")}},
		{"connect.refused", "", []session.Entry{dialFault(session.FaultUnreachable, "[2001:db8::1]:587"), dialFault(session.FaultRefused, "192.0.2.10:587")}},
		{"connect.unreachable", "2001:db8::1", []session.Entry{dialFault(session.FaultUnreachable, "[2001:db8::1]:587")}},
		{"connect.refused", "", []session.Entry{lookupFault(session.FaultDNS), dialFault(session.FaultRefused, "192.0.2.10:587")}},
		{"proxy.loop", "", []session.Entry{dialFault(session.FaultLoop, "127.0.0.1:1025")}},
	} {
		got := e.Annotate(sessionOf(t, "smtp.gmial.com:587", tt.entries...))
		if causes(got) != tt.want {
			t.Errorf("%v: got %q, want %q", tt.entries[0].Text, causes(got), tt.want)
			continue
		}
		if all := got[0].Title + got[0].Explanation + strings.Join(got[0].Fix, " "); !strings.Contains(all, tt.contains) {
			t.Errorf("%s does not say %q:\n%s", tt.want, tt.contains, all)
		}
	}
}

func certificate(names ...string) session.Certificate {
	return session.Certificate{Subject: "CN=" + names[0], Issuer: "CN=Test CA", NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(0, 0, -20), Names: names}
}

func handshake(leg session.Side, tls *session.TLS, fault *session.Fault) session.Entry {
	if tls == nil {
		tls = &session.TLS{}
	}
	return session.Entry{Leg: leg, From: session.Origin(leg), Kind: session.KindTLS, Phase: session.PhaseTLS, TLS: tls, Fault: fault, Text: "handshake"}
}

func greeting(text string) session.Entry {
	return session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Phase: session.PhaseGreeting, Code: 220, Text: text}
}

func TestTLSCauses(t *testing.T) {
	const up, app = session.Upstream, session.App
	badCert := &session.Fault{Op: "handshake", Class: session.FaultCertificate, Text: "certificate"}
	alert := func(n int) *session.Fault {
		return &session.Fault{Op: "handshake", Class: session.FaultAlert, Alert: n, Text: "alert"}
	}
	expired := &session.TLS{Verify: session.VerifyExpired, Chain: []session.Certificate{certificate("smtp.example.com")}}
	for _, tt := range []struct {
		name     string
		want     string
		contains string
		entries  []session.Entry
	}{
		{"expired", "tls.certificate-expired", "2026-11-01 12:00 UTC", []session.Entry{greeting("220 mx"), handshake(up, expired, badCert)}},
		{"expired, and relayed all the same", "tls.certificate-expired", "CN=Test CA", []session.Entry{greeting("220 mx"), handshake(up, expired, nil)}},
		{"wrong clock", "tls.clock-skew", "2026-01-01", []session.Entry{greeting("220 mx Microsoft ESMTP MAIL Service ready at Thu, 1 Jan 2026 01:06:52 +0000"), handshake(up, expired, badCert)}},
		{"wrong name", "tls.certificate-name-mismatch", "mail.example.net, example.net", []session.Entry{handshake(up, &session.TLS{Verify: session.VerifyName, Chain: []session.Certificate{certificate("mail.example.net", "example.net")}}, badCert)}},
		{"incomplete, repaired", "tls.chain-incomplete", "CN=Found, published at http://ca.example/i.der", []session.Entry{handshake(up, incomplete(session.VerifyIncomplete), badCert), probed("certificate", "fail", repaired())}},
		{"untrusted after all", "tls.certificate-untrusted", "", []session.Entry{handshake(up, incomplete(session.VerifyIncomplete), badCert), probed("certificate", "fail", incomplete(session.VerifyUntrusted))}},
		{"in order when asked once more", "tls.chain-incomplete", "several machines", []session.Entry{handshake(up, incomplete(session.VerifyIncomplete), badCert), probed("certificate", "ok", incomplete(session.VerifyOK))}},
		{"intercepted", "tls.certificate-untrusted", "Except smtp.example.com from what Avast", []session.Entry{handshake(up, &session.TLS{Verify: session.VerifyUntrusted, Interceptor: "Avast (it scans mail on this machine)", Chain: []session.Certificate{certificate("a.example")}}, badCert)}},
		{"incomplete", "tls.chain-incomplete", "CN=Missing", []session.Entry{handshake(up, &session.TLS{Verify: session.VerifyIncomplete, RootHint: "CN=Missing", Chain: []session.Certificate{certificate("a.example")}}, badCert)}},
		{"plaintext first", "tls.plaintext-expected", "--upstream-tls starttls", []session.Entry{handshake(up, nil, &session.Fault{Class: session.FaultNotTLS, First: []byte("220 mx.example.com ESMTP\r\n")})}},
		{"plaintext first, header only", "tls.plaintext-expected", "", []session.Entry{handshake(up, nil, &session.Fault{Class: session.FaultNotTLS, First: []byte("220 m")})}},
		{"SSH", "connect.not-smtp", "SSH", []session.Entry{handshake(up, nil, &session.Fault{Class: session.FaultNotTLS, First: []byte("SSH-2.0-OpenSSH")})}},
		{"garbage behind STARTTLS", "tls.handshake-corrupt", "", []session.Entry{greeting("220 mx"), handshake(up, nil, &session.Fault{Class: session.FaultNotTLS, First: []byte("250 ok")})}},
		{"alert 70", "tls.version-mismatch", "", []session.Entry{handshake(up, nil, alert(70))}},
		{"alert 70, and what it takes", "tls.version-mismatch", "it took TLS 1.0 with TLS_RSA_WITH_AES_128_CBC_SHA", []session.Entry{handshake(up, nil, alert(70)), probed("certificate", "ok", &session.TLS{Version: "TLS 1.0", Cipher: "TLS_RSA_WITH_AES_128_CBC_SHA"})}},
		{"alert 40", "tls.cipher-mismatch", "", []session.Entry{handshake(up, nil, alert(40))}},
		{"alert 40 behind a request for a certificate", "tls.client-certificate-required", "", []session.Entry{handshake(up, &session.TLS{AskedCert: true}, alert(40))}},
		{"alert 112", "tls.sni-required", "", []session.Entry{handshake(up, nil, alert(112))}},
		{"alert 116", "tls.client-certificate-required", "", []session.Entry{handshake(up, nil, alert(116))}},
		{"alert 116 behind the handshake", "tls.client-certificate-required", "", []session.Entry{handshake(up, nil, nil), {Leg: up, From: session.FromUpstream, Kind: session.KindClose, Fault: alert(116)}}},
		{"stalled", "tls.handshake-timeout", "", []session.Entry{handshake(up, nil, &session.Fault{Class: session.FaultTimeout})}},
		{"stalled, packets lost", "tls.handshake-timeout", "the path drops packets", []session.Entry{{Leg: up, Kind: session.KindTLS, TLS: &session.TLS{}, Fault: &session.Fault{Class: session.FaultTimeout}, TCP: &session.TCP{Retransmits: 4, Unacked: 1}}}},
		{"stalled, all arrived", "tls.handshake-timeout", "it is stuck", []session.Entry{{Leg: up, Kind: session.KindTLS, TLS: &session.TLS{}, Fault: &session.Fault{Class: session.FaultTimeout}, TCP: &session.TCP{RTT: time.Millisecond}}}},
		{"app gave up on a stall", "tls.handshake-timeout", "", []session.Entry{handshake(up, &session.TLS{Duration: 11 * time.Second}, &session.Fault{Class: session.FaultLocal})}},
		{"reset", "tls.handshake-reset", "", []session.Entry{handshake(up, nil, &session.Fault{Class: session.FaultReset})}},
		{"app's alert", "tls.app-rejected-certificate", "alert 48", []session.Entry{greeting("220 mx"), handshake(app, nil, alert(48))}},
		{"app left behind the handshake", "tls.app-rejected-certificate", "", []session.Entry{greeting("220 mx"), handshake(app, nil, nil), {Leg: app, From: session.FromApp, Kind: session.KindClose}}},
		{"old app", "tls.app-version-mismatch", "TLS 1.0", []session.Entry{greeting("220 mx"), handshake(app, &session.TLS{Hello: &session.Hello{Versions: []string{"TLS 1.0"}}}, &session.Fault{Class: session.FaultVersion})}},
		{"plaintext to implicit TLS", "tls.implicit-expected", "--app-tls", []session.Entry{handshake(app, nil, &session.Fault{Class: session.FaultNotTLS, First: []byte("EHLO")})}},
	} {
		got := engine(t, diagnose.Options{}).Annotate(sessionOf(t, "smtp.example.com:587", tt.entries...))
		if causes(got) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, causes(got), tt.want)
			continue
		}
		if all := got[0].Title + got[0].Explanation + strings.Join(got[0].Fix, " "); !strings.Contains(all, tt.contains) {
			t.Errorf("%s: %s does not say %q:\n%s", tt.name, tt.want, tt.contains, all)
		}
	}
}

func incomplete(verdict session.VerifyFault) *session.TLS {
	return &session.TLS{Verify: verdict, Verified: verdict == session.VerifyOK, RootHint: "CN=Missing",
		Chain: []session.Certificate{{Subject: "CN=a.example", Names: []string{"a.example"}, AIA: []string{"http://ca.example/i.der"}, NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(1, 0, 0)}}}
}

// repaired is the same chain when what it lacks has been found.
func repaired() *session.TLS {
	h := incomplete(session.VerifyIncomplete)
	h.Repaired = []session.Certificate{{Subject: "CN=Found"}}
	return h
}

// A clock that is earlier than the program is wrong whatever the peer says.
func TestClockBeforeBuild(t *testing.T) {
	e := engine(t, diagnose.Options{Built: noon.AddDate(2, 0, 0)})
	young := &session.TLS{Verify: session.VerifyNotYetValid, Chain: []session.Certificate{{NotBefore: noon.AddDate(1, 0, 0), NotAfter: noon.AddDate(3, 0, 0)}}}
	got := e.Annotate(sessionOf(t, "mx.example.com:465", handshake(session.Upstream, young, &session.Fault{Class: session.FaultCertificate})))
	if causes(got) != "tls.clock-skew" {
		t.Errorf("got %q, want tls.clock-skew", causes(got))
	}
}
