package replay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// twiceApps are programs that send ordinary mail, and some that is refused.
func twiceApps() map[string]testenv.App {
	apps := map[string]testenv.App{
		"mail":               {},
		"several recipients": {To: slices.Repeat([]string{"one@example.net"}, 20)},
		"a large message":    {Message: []byte("Subject: large\r\n\r\n" + strings.Repeat("x.............................................................\r\n", 500))},
		"no such user":       {To: []string{"550_5.1.1@example.net"}},
		"greylisted":         {To: []string{"451_4.7.1@example.net"}},
		"some refused":       {To: []string{"one@example.net", "550_5.1.1@example.net", "two@example.net"}},
	}
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		apps["AUTH "+mechanism] = testenv.App{User: "app@example.com", Password: "abcdefghijklmnop", Mechanism: mechanism}
	}
	return apps
}

// What is sent twice shows no difference, whoever the smarthost is and however
// the legs are secured: ids, clocks, resumed handshakes and ports are noise.
func TestTheSameMailTwiceIsNoDifference(t *testing.T) {
	t.Parallel()
	apps := []testenv.AppTLS{testenv.AppPlain, testenv.AppSTARTTLS, testenv.AppImplicit}
	for i, persona := range testenv.Personas() {
		for j, mode := range []string{"none", "auto", "starttls", "implicit"} {
			app := apps[(i+j)%len(apps)] // each persona and each mode meets all of them
			t.Run(fmt.Sprintf("%s %s %s", persona, mode, app), func(t *testing.T) {
				t.Parallel()
				sendTwice(t, persona, mode, app)
			})
		}
	}
}

func sendTwice(t *testing.T, persona, mode string, appTLS testenv.AppTLS) {
	s, err := testenv.NewSmarthost(testenv.SmarthostOptions{Persona: persona, Implicit: mode == "implicit"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f := &testenv.Fault{Upstream: s.Addr(), Roots: s.Roots()}
	f.Relay.UpstreamTLS = mode
	f.Relay.AppTLS = map[testenv.AppTLS]string{testenv.AppSTARTTLS: "offer", testenv.AppImplicit: "implicit"}[appTLS]
	r := startRelay(t, f)
	var names []string
	for name, app := range twiceApps() {
		app.Addr, app.TLS, app.Config, app.Patience = r.addr, appTLS, testenv.Trust(r.roots), 10*time.Second
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, _ = app.Send(ctx) // a persona may offer no AUTH in clear: it is refused twice
			cancel()
			r.await(10 * time.Second)
		}
		names = append(names, name)
	}
	wantNoDifference(t, names, r.recordings())
}

func wantNoDifference(t *testing.T, names []string, all []replay.Recording) {
	t.Helper()
	if len(all) != 2*len(names) {
		t.Fatalf("got %d sessions, want %d", len(all), 2*len(names))
	}
	for i, name := range names {
		a, b := all[2*i], all[2*i+1]
		if len(a.Entries) < 4 {
			t.Errorf("%s: got %d entries, too few to say anything", name, len(a.Entries))
		}
		for _, d := range replay.Diff(a, b) {
			t.Errorf("%s: %s: %s\n%q\n%q", name, d.Where, d.Why, d.A, d.B)
		}
	}
}

// A failure that stays what it is shows no difference either, and any two
// failures do.
func TestFailuresDifferFromOneAnother(t *testing.T) {
	t.Parallel()
	names, err := testenv.Faults()
	if err != nil {
		t.Fatal(err)
	}
	var before replay.Recording
	told := 0
	for _, name := range names {
		if !refusesAtOnce(name) {
			continue
		}
		all := failTwice(t, name)
		if len(all) != 2 {
			continue
		}
		wantNoDifference(t, []string{name}, all)
		if before.ID != "" && len(replay.Diff(before, all[0])) == 0 {
			t.Errorf("%s is no other than the failure before it", name)
		}
		before = all[0]
		told++
	}
	if told < 40 {
		t.Errorf("got %d failures, want 40 at least", told)
	}
}

// refusesAtOnce tells the faults whose second session is as the first, and
// which keep nobody waiting.
func refusesAtOnce(name string) bool {
	family, _, _ := strings.Cut(name, ".")
	return slices.Contains([]string{"recipient", "sender", "message", "auth", "reputation", "relay", "rate", "account", "policy"}, family) &&
		!slices.Contains([]string{"recipient.greylisted", "recipient.too-many"}, name)
}

// failTwice lets a fault's app send twice; nil when its failure takes several
// sessions to build up.
func failTwice(t *testing.T, name string) []replay.Recording {
	t.Helper()
	f, err := testenv.StartFault(name, testenv.FaultOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Sends > 1 {
		return nil
	}
	r := startRelay(t, f)
	app := f.App
	app.Addr = r.addr
	if app.Config == nil {
		app.Config = testenv.Trust(r.roots)
	}
	for range 2 {
		_, _ = app.Send(t.Context())
		r.await(10 * time.Second)
	}
	return r.recordings()
}
