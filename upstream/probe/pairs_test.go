package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// connects reports whether an app gets through STARTTLS with a smarthost, to
// the first reply under TLS: it is the direct connection that predictions are
// measured against.
func connects(addr string, app *tls.Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	for _, command := range []string{"", "EHLO app.example", "STARTTLS"} {
		if err := says(conn, r, command); err != nil {
			return err
		}
	}
	secure := tls.Client(conn, app)
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	return says(secure, bufio.NewReader(secure), "EHLO app.example")
}

// says sends a command, if there is one, and reads a reply of 2xx.
func says(conn net.Conn, r *bufio.Reader, command string) error {
	if command != "" {
		if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
			return err
		}
	}
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return err
		case !strings.HasPrefix(line, "2"):
			return errors.New(line)
		case len(line) > 3 && line[3] == ' ':
			return nil
		}
	}
}

// TestPredictionIsWhatHappens holds predictions against direct connections:
// each app with each smarthost. What is predicted must come true, and where
// it is a failure, the setting named must be one in which the pair was set up
// to differ.
func TestPredictionIsWhatHappens(t *testing.T) {
	ca := newCA(t)
	p := newProber(t, ca.Pool(), probe.Options{PerMinute: 10_000})
	pairs := 0
	for _, s := range smarthosts() {
		addr := s.open(t, ca)
		for _, a := range apps() {
			pairs++
			t.Run(a.name+" to "+s.name, func(t *testing.T) {
				before := p.Counts().Connections
				e := p.Direct(t.Context(), target(addr, upstream.ModeSTARTTLS), hello(t, a.towardsProxy()))
				if most, took := atMost(e), p.Counts().Connections-before; took > most {
					t.Errorf("it took %d connections, want %d at most: %q", took, most, e.Text)
				}
				pair{app: a, smarthost: s, entry: e}.check(t, connects(addr, a.byName(ca.Pool())), connects(addr, a.silently(ca.Pool())))
			})
		}
	}
	if pairs < 100 {
		t.Errorf("%d pairs; want 100 at least", pairs)
	}
}

// atMost is how many connections an answer may cost.
func atMost(e session.Entry) uint64 {
	if e.Probe.Result == "ok" {
		return 2
	}
	return 20
}

// pair is a prediction for an app and a smarthost.
type pair struct {
	app       app
	smarthost smarthost
	entry     session.Entry
}

// check compares the prediction with how the app fared by name, and without
// one. An app that sent the proxy no name may do either.
func (p pair) check(t *testing.T, named, silent error) {
	t.Helper()
	want, wantSetting := "ok", differ(p.app, p.smarthost, true)
	switch {
	case p.app.nameless && (named == nil) != (silent == nil):
		want, wantSetting = "skip", []string{"server name"}
	case named != nil:
		want = "fail"
	}
	got := p.entry.Probe
	if got.Result != want {
		t.Errorf("predicted %+v, %q\nmeasured by name: %v\nwithout a name: %v", *got, p.entry.Text, named, silent)
	}
	p.checkSetting(t, wantSetting)
	if (named == nil) != (len(differ(p.app, p.smarthost, true)) == 0) {
		t.Errorf("measured %v, but set up to differ in %q", named, differ(p.app, p.smarthost, true))
	}
	if (silent == nil) != (len(differ(p.app, p.smarthost, false)) == 0) {
		t.Errorf("measured %v without a name, but set up to differ in %q", silent, differ(p.app, p.smarthost, false))
	}
}

// checkSetting compares the setting that was named with those that differ.
func (p pair) checkSetting(t *testing.T, want []string) {
	t.Helper()
	got := p.entry.Probe
	named := strings.Split(got.Setting, " and ")
	switch {
	case len(want) == 0 && got.Setting != "":
		t.Errorf("setting %q; want none: %q", got.Setting, p.entry.Text)
	case len(want) > 0 && !slices.ContainsFunc(named, func(s string) bool { return slices.Contains(want, s) }):
		t.Errorf("setting %q; want one of %q: %q", got.Setting, want, p.entry.Text)
	case got.Setting == "trust" && got.Cause != p.smarthost.trust:
		t.Errorf("cause %q; want %q: %q", got.Cause, p.smarthost.trust, p.entry.Text)
	}
}
