package replay_test

import (
	"context"
	"crypto/tls"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// served is a model on its stage.
type served struct {
	addr  string
	roots []byte
	stage *replay.Stage

	mu         sync.Mutex
	deviations []string
}

// serve plays recordings until the test ends.
func serve(t *testing.T, o replay.StageOptions, recordings ...replay.Recording) *served {
	t.Helper()
	authority, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &served{roots: authority.CertPEM()}
	o.Certificate = func(h *replay.Handshake) (*tls.Certificate, error) { return authority.Likeness(&h.TLS, h.At) }
	o.Report = func(d replay.Deviation) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deviations = append(s.deviations, d.Text)
	}
	if s.stage, err = replay.Learn(recordings...).Stage(o); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.stage.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stage ended with %v", err)
		}
	})
	return s
}

// told returns the differences so far.
func (s *served) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deviations)
}

// Each fault is met twice by the same app, which connects to it directly: at
// the smarthost, and at what a recording through the relay makes of it.
func TestStageRepeatsFaults(t *testing.T) {
	for _, name := range []string{
		"recipient.greylisted", "recipient.mailbox-full", "recipient.unknown", "relay.denied", "auth.bad-credentials",
		"auth.required", "message.spam", "message.too-large", "sender.rejected", "connect.rejected",
		"connect.closed", "connect.reset", "upstream.closed", "upstream.closed/reset", "upstream.closed/after-the-dot",
		"upstream.timeout", "upstream.unavailable", "upstream.storage-full", "rate.connections", "rate.messages",
		"protocol.command-unsupported", "tls.starttls-refused",
		"tls.certificate-expired", "tls.certificate-not-yet-valid", "tls.certificate-name-mismatch",
		"tls.certificate-self-signed", "tls.certificate-untrusted", "tls.chain-incomplete/lost", "tls.certificate-expired/intermediate",
		"tls.version-mismatch", "tls.cipher-mismatch", "tls.sni-required", "tls.handshake-reset", "tls.handshake-reset/closed",
		"tls.handshake-reset/in-flight", "tls.handshake-corrupt", "tls.client-certificate-required",
		"tls.client-certificate-required/tls12", "protocol.invalid-reply/endless-greeting-line",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, recordings := recordFault(t, name)
			fresh, err := testenv.StartFault(name, testenv.FaultOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			direct := met{}
			for range fresh.Sends {
				direct = meet(t, fresh, fresh.Smarthost.Addr(), trusting(fresh))
			}
			s := serve(t, replay.StageOptions{}, recordings...)
			config := testenv.Trust(s.roots)
			again := meet(t, f, s.addr, config)
			if again != direct {
				t.Errorf("%s: the app met\n got %+v\nwant %+v", name, again, direct)
			}
			if told := s.told(); len(told) > 0 {
				t.Errorf("%s: got differences %q, want none", name, told)
			}
		})
	}
}

// patience is how long an app waits where it waits in vain.
const patience = 2 * time.Second

// met is what an app has met, in its own words.
type met struct {
	phase, reply, err string
}

// varying is what differs from run to run in what an app says of trouble: ports,
// times, and which of its calls met a reset.
var varying = regexp.MustCompile(`(read|write) tcp [^ ]+:|(read|write): |not (mail.example.com|localhost)|20\d\d-\d\d-\d\dT[0-9:]+Z`)

func trusting(f *testenv.Fault) *tls.Config {
	c := testenv.Trust(f.Roots)
	c.ServerName, _, _ = net.SplitHostPort(f.Upstream)
	return c
}

// meet sends as the fault's app does, but with TLS if the smarthost has it.
func meet(t *testing.T, f *testenv.Fault, addr string, config *tls.Config) met {
	t.Helper()
	app := f.App
	app.Addr, app.Config = addr, config
	app.TLS, app.Patience = testenv.AppSTARTTLS, patience
	v, err := app.Send(t.Context())
	m := met{phase: string(v.Phase), reply: v.Reply.Text()}
	switch {
	case err != nil && strings.Contains(err.Error(), "connection reset"):
		// It may meet any of the app's calls, connect among them.
		m = met{err: "reset", phase: strings.TrimPrefix(m.phase, "greeting"), reply: m.reply}
	case err != nil:
		m.err = varying.ReplaceAllString(err.Error(), "…")
	}
	return m
}
