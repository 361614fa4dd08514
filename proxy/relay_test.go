package proxy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// within bounds a wait for the upstream's part of a test.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestRelaysByteForByte(t *testing.T) { carried(t, relaysByteForByte) }

func relaysByteForByte(t *testing.T) {
	script := `
<- 220 mx ready
-> EHLO app
<= 250-mx\r\n250 PIPE
! pause 1ms
<= LINING\r\n
-> MAIL FROM:<a@x>
-> RCPT TO:<b@y>
-> DATA
<- 250 ok
<- 550 5.1.1 no
<- 354 go
! data
<- 250 2.0.0 queued
-> QUIT
<- 221 bye
! close`
	up := tape(t, script, testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	body := "Subject: x\r\n\r\n..dots\r\n" + strings.Repeat("long line ", 10_000) + "\r\nlast\r\n.\r\n"
	a.hear("220 mx ready\r\n")
	a.say("EHLO app\r\n")
	a.hear("250-mx\r\n250 PIPELINING\r\n")
	a.say("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n")
	a.hear("250 ok\r\n550 5.1.1 no\r\n354 go\r\n")
	a.say(body)
	a.hear("250 2.0.0 queued\r\n")
	a.say("QUIT\r\n")
	a.hear("221 bye\r\n")
	a.hearEnd()
	if err := up.Wait(within(t), 1); err != nil {
		t.Fatal(err)
	}
	want := "EHLO app\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n" + body + "QUIT\r\n"
	if got := up.Received(0); string(got) != want {
		t.Errorf("the upstream got %d octets, want %d", len(got), len(want))
	}
	history := r.wait()
	if e := find(history, func(e *session.Entry) bool { return e.Edit }); e != nil {
		t.Errorf("an edit in a session without any: %s", e.Text)
	}
	demandBody(t, history, strings.TrimSuffix(body, ".\r\n"))
	demandOrder(t, history)
}

// demandBody compares the captured message.
func demandBody(t *testing.T, history []session.Record, want string) {
	t.Helper()
	var got bytes.Buffer
	for _, rec := range history {
		got.Write(rec.Body)
	}
	if got.String() != want {
		t.Errorf("captured %d octets of the message, want %d", got.Len(), len(want))
	}
}

// demandOrder checks that entries are numbered without a gap and end with the
// session's end.
func demandOrder(t *testing.T, history []session.Record) {
	t.Helper()
	seq := 0
	for i, rec := range history {
		if rec.Entry != nil {
			if seq++; rec.Entry.Seq != seq {
				t.Errorf("entry %d has number %d\n%s", seq, rec.Entry.Seq, transcript(history))
			}
		}
		if rec.Closed != (i == len(history)-1) {
			t.Errorf("record %d of %d: closed is %v", i, len(history), rec.Closed)
		}
	}
}

// secured are the settings of a proxy whose two legs are under TLS.
func secured(t *testing.T, ca *testenv.CA, mode upstream.Mode, appTLS session.AppTLS) func(*proxy.Options, *upstream.Options) {
	return func(o *proxy.Options, u *upstream.Options) {
		authority, err := proxy.EphemeralAuthority(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		o.Routes[0].Target.Mode = mode
		o.Routes[0].AppTLS = appTLS
		o.Routes[0].TLS = &tls.Config{GetCertificate: authority.Leaf}
		u.Roots = ca.Pool()
		u.Roots.AppendCertsFromPEM(authority.CertPEM())
	}
}

// TestEveryCombinationOfTLS delivers a message with AUTH under each setting of
// both legs.
func TestEveryCombinationOfTLS(t *testing.T) { carried(t, everyCombinationOfTLS) }

func everyCombinationOfTLS(t *testing.T) {
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	apps := map[session.AppTLS]testenv.AppTLS{session.AppNone: testenv.AppPlain, session.AppOffer: testenv.AppSTARTTLS,
		session.AppRequire: testenv.AppSTARTTLS, session.AppImplicit: testenv.AppImplicit}
	for _, mode := range []upstream.Mode{upstream.ModeAuto, upstream.ModeSTARTTLS, upstream.ModeImplicit, upstream.ModeNone} {
		for appTLS, appMode := range apps {
			t.Run(string(mode)+"/"+string(appMode), func(t *testing.T) {
				t.Parallel()
				box, err := testenv.NewSandbox(testenv.SandboxOptions{Implicit: mode == upstream.ModeImplicit,
					TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}, User: "me@example.com", Password: "planted-secret-7"})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { box.Close() })
				r := start(t, box.Addr(), secured(t, ca, mode, appTLS))
				sender := testenv.App{Addr: r.addr, TLS: appMode, Config: &tls.Config{InsecureSkipVerify: true}, User: "me@example.com", Password: "planted-secret-7"}
				v, err := sender.Send(within(t))
				if err != nil || !v.Delivered() {
					t.Fatalf("got %+v, %v", v, err)
				}
				demandTLS(t, r.wait(), mode, appTLS)
			})
		}
	}
}

// demandTLS checks which legs were under TLS, and that nothing tells the secret.
func demandTLS(t *testing.T, history []session.Record, mode upstream.Mode, appTLS session.AppTLS) {
	t.Helper()
	for leg, want := range map[session.Side]bool{session.App: appTLS != session.AppNone, session.Upstream: mode != upstream.ModeNone} {
		e := find(history, func(e *session.Entry) bool { return e.Kind == session.KindTLS && e.Leg == leg && e.Fault == nil })
		if (e != nil) != want {
			t.Errorf("TLS on the leg of the %s: %v, want %v\n%s", leg, e != nil, want, transcript(history))
		}
		if e != nil && (e.TLS == nil || e.TLS.Version == "") {
			t.Errorf("TLS on the leg of the %s has no facts: %+v", leg, e.TLS)
		}
	}
	if text := transcript(history); strings.Contains(text, "planted-secret-7") || strings.Contains(text, "AG1lQGV4YW1wbGUuY29tAHBsYW50ZWQtc2VjcmV0LTc=") {
		t.Errorf("the secret is in the record:\n%s", text)
	}
}

func TestUpstreamOutOfReach(t *testing.T) { carried(t, upstreamOutOfReach) }

func upstreamOutOfReach(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	r := start(t, addr, nil)
	a := dial(t, r.addr)
	line := a.hearLine("421 4.4.1 smtp-proxy: ")
	if !strings.Contains(line, addr) || !strings.Contains(line, "refused") {
		t.Errorf("the app was told %q, which does not say what and where", line)
	}
	a.hearEnd()
	history := r.wait()
	if find(history, func(e *session.Entry) bool { return e.Fault != nil && e.Fault.Class == session.FaultRefused }) == nil {
		t.Errorf("no entry with the fault:\n%s", transcript(history))
	}
}

func TestLoopIsRefused(t *testing.T) { carried(t, loopIsRefused) }

func loopIsRefused(t *testing.T) {
	r := start(t, "127.0.0.1:1", func(o *proxy.Options, _ *upstream.Options) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o.Routes[0].Listen = []string{l.Addr().String()}
		o.Routes[0].Target.Port = l.Addr().(*net.TCPAddr).Port
		l.Close()
	})
	a := dial(t, r.addr)
	if line := a.hearLine("421 4.4.1 smtp-proxy: "); !strings.Contains(line, "this proxy itself") {
		t.Errorf("the app was told %q", line)
	}
	a.hearEnd()
	if history := r.wait(); odd(history, session.OddLoop) == nil {
		t.Errorf("the loop was not noted:\n%s", transcript(history))
	}
}

// TestVanishedAppAfterDot checks that the verdict is in the record although
// nobody was there to hear it.
func TestVanishedAppAfterDot(t *testing.T) { carried(t, vanishedAppAfterDot) }

func vanishedAppAfterDot(t *testing.T) {
	gone := make(chan struct{})
	up := tape(t, `
<- 220 mx ready
-> MAIL*
<- 250 ok
-> RCPT*
<- 250 ok
-> DATA
<- 354 go
! data
! call gone
<- 250 2.0.0 queued as 42
! eof
! close`, testenv.TapeOptions{Hooks: map[string]func(context.Context){"gone": func(context.Context) { <-gone }}})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("MAIL FROM:<a@x>\r\n")
	a.hear("250 ok\r\n")
	a.say("RCPT TO:<b@y>\r\n")
	a.hear("250 ok\r\n")
	a.say("DATA\r\n")
	a.hear("354 go\r\n")
	a.say("hello\r\n.\r\n")
	_ = a.conn.(*net.TCPConn).SetLinger(0)
	a.conn.Close()
	close(gone)
	history := r.wait()
	if e := find(history, func(e *session.Entry) bool { return e.Kind == session.KindReply && e.Verb == "." }); e == nil || e.Code != 250 {
		t.Errorf("the verdict is not in the record:\n%s", transcript(history))
	}
}

// TestLastWordsOfAnUpstreamThatCloses checks that a reply which came before the
// end reaches the app as it was, and nothing is added to it.
func TestLastWordsOfAnUpstreamThatCloses(t *testing.T) { carried(t, lastWordsOfAnUpstreamThatCloses) }

func lastWordsOfAnUpstreamThatCloses(t *testing.T) {
	up := tape(t, `
<- 220 mx ready
-> MAIL*
<- 421 4.7.0 too many messages
! close`, testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("MAIL FROM:<a@x>\r\n")
	a.hear("421 4.7.0 too many messages\r\n")
	a.hearEnd()
	if err := up.Wait(within(t), 1); err != nil {
		t.Fatal(err)
	}
}

func TestUpstreamClosesWithoutAReply(t *testing.T) { carried(t, upstreamClosesWithoutAReply) }

func upstreamClosesWithoutAReply(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n-> MAIL*\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("MAIL FROM:<a@x>\r\n")
	a.hearLine("421 4.4.2 smtp-proxy: ")
	a.hearEnd()
	r.wait()
}

// TestSlowUpstreamHoldsTheAppBack checks back-pressure: an upstream that does
// not read stops the app, and nothing is lost when it goes on.
func TestSlowUpstreamHoldsTheAppBack(t *testing.T) { carried(t, slowUpstreamHoldsTheAppBack) }

func slowUpstreamHoldsTheAppBack(t *testing.T) {
	goOn := make(chan struct{})
	up := tape(t, "<- 220 mx ready\n-> DATA\n<- 354 go\n! call wait\n! data\n<- 250 ok\n! eof\n! close",
		testenv.TapeOptions{Patience: time.Minute, Hooks: map[string]func(context.Context){"wait": func(context.Context) { <-goOn }}})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("DATA\r\n")
	a.hear("354 go\r\n")
	body := bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"), 1<<18) // 16 MiB
	written := make(chan error, 1)
	go func() {
		_, err := a.conn.Write(append(body, ".\r\n"...))
		written <- err
	}()
	select {
	case err := <-written:
		t.Fatalf("16 MiB were taken (%v) while the upstream read nothing", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(goOn)
	a.hear("250 ok\r\n")
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	a.conn.Close()
	if err := up.Wait(within(t), 1); err != nil {
		t.Fatal(err)
	}
	if got, want := len(up.Received(0)), len("DATA\r\n")+len(body)+3; got != want {
		t.Errorf("the upstream got %d octets, want %d", got, want)
	}
	r.wait()
}

func TestSilentSidesAreEnded(t *testing.T) { carried(t, silentSidesAreEnded) }

func silentSidesAreEnded(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof", testenv.TapeOptions{})
	t.Run("app", func(t *testing.T) {
		r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].AppSilence = 50 * time.Millisecond })
		a := dial(t, r.addr)
		a.hear("220 mx ready\r\n")
		a.hearLine("421 4.4.2 smtp-proxy: nothing was heard from you")
		a.hearEnd()
		if history := r.wait(); odd(history, session.OddTimeout) == nil {
			t.Errorf("the silence was not noted:\n%s", transcript(history))
		}
	})
	t.Run("upstream", func(t *testing.T) {
		r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].UpstreamReply = 50 * time.Millisecond })
		a := dial(t, r.addr)
		a.hear("220 mx ready\r\n")
		a.say("NOOP\r\n")
		a.hearLine("421 4.4.2 smtp-proxy: ")
		a.hearEnd()
		if e := odd(r.wait(), session.OddTimeout); e == nil || e.Leg != session.Upstream {
			t.Errorf("got %+v, want a note of the upstream's silence", e)
		}
	})
}

// TestPlaintextIsNeverReadAsProtected sends commands behind STARTTLS in the
// same breath, on a real connection.
func TestPlaintextIsNeverReadAsProtected(t *testing.T) { carried(t, plaintextIsNeverReadAsProtected) }

func plaintextIsNeverReadAsProtected(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n-> EHLO app\n<- 250 mx\n! eof\n! close", testenv.TapeOptions{})
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, up.Addr(), secured(t, ca, upstream.ModeNone, session.AppOffer))
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("EHLO app\r\n")
	a.hear("250-mx\r\n250 STARTTLS\r\n")
	a.say("STARTTLS\r\nMAIL FROM:<evil@x>\r\n")
	a.hearLine("220 ")
	tc := tls.Client(a.conn, &tls.Config{InsecureSkipVerify: true})
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tc, "EHLO app\r\n"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("250 mx\r\n"))
	if _, err := io.ReadFull(tc, got); err != nil || string(got) != "250 mx\r\n" {
		t.Errorf("the app got %q, %v", got, err)
	}
	tc.Close()
	history := r.wait()
	if odd(history, session.OddInjection) == nil {
		t.Errorf("the injection was not noted:\n%s", transcript(history))
	}
	if err := up.Wait(within(t), 1); err != nil {
		t.Fatal(err)
	}
	if got := up.Received(0); bytes.Contains(got, []byte("evil")) {
		t.Errorf("the upstream got %q", got)
	}
}
