package testenv_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// tlsCell is one place where a cause may show.
type tlsCell struct {
	cause   string
	leg     session.Side // where the record shows the break
	through bool         // TLS is the app's and the smarthost's own: --tls passthrough
	version uint16       // that is spoken there
}

func (c tlsCell) String() string {
	mode := map[bool]string{false: "terminate", true: "passthrough"}[c.through]
	return fmt.Sprintf("%s on the %s leg, %s, %s", c.cause, c.leg, mode, tls.VersionName(c.version))
}

// tlsRow is one way to show a cause.
type tlsRow struct {
	cause   string
	how     string // what sets it apart from the other ways; empty for the usual one
	leg     session.Side
	through bool
	// versions are those that the smarthost is limited to, and where the
	// proxy's own TLS is what breaks, the app. None means that the handshake
	// comes to no version: one run stands for all.
	versions []uint16

	fault  string         // of testenv; empty for a healthy smarthost
	breach testenv.Breach // of the smarthost, instead of the fault's
	app    func(*testenv.App)
	offer  func(*tls.Config)                             // what the app offers, and trusts
	own    func(ca *testenv.CA) (tls.Certificate, error) // what --cert and --key give to the proxy

	acts     string // who has to act, by what the probes found; empty for whom the catalogue names
	doubtful bool   // an app that wants nothing does the same
}

// tlsExcuse says why causes cannot show in some cells.
type tlsExcuse struct {
	causes   []string
	leg      session.Side
	through  bool
	versions []uint16 // none means all
	why      string
}

// bothVersions are the versions of TLS that are in use.
func bothVersions() []uint16 { return []uint16{tls.VersionTLS12, tls.VersionTLS13} }

// certificateCauses are those that a certificate can be at fault for.
func certificateCauses() []string {
	return []string{
		"tls.certificate-expired", "tls.certificate-not-yet-valid", "tls.clock-skew",
		"tls.certificate-name-mismatch", "tls.certificate-self-signed", "tls.certificate-untrusted",
		"tls.chain-incomplete", "tls.certificate-weak", "tls.certificate-revoked",
	}
}

// otherFlaws are further ways for a certificate to be at fault, by their faults
// of testenv.
func otherFlaws() []string {
	return []string{
		"tls.certificate-untrusted/intercepted", "tls.certificate-name-mismatch/redirected",
		"tls.chain-incomplete/lost", "tls.certificate-expired/intermediate",
	}
}

func (r tlsRow) String() string {
	c := tlsCell{r.cause, r.leg, r.through, 0}
	name, _, _ := strings.Cut(c.String(), ", 0x")
	if r.how != "" {
		name += ", " + r.how
	}
	return name
}

func (r tlsRow) cells() (all []tlsCell) {
	versions := r.versions
	if versions == nil {
		versions = bothVersions()
	}
	for _, v := range versions {
		all = append(all, tlsCell{r.cause, r.leg, r.through, v})
	}
	return all
}

func (e tlsExcuse) cells() (all []tlsCell) {
	for _, cause := range e.causes {
		all = append(all, tlsRow{cause: cause, leg: e.leg, through: e.through, versions: e.versions}.cells()...)
	}
	return all
}

// tlsCells are all places where the causes of the catalogue may show.
func tlsCells(set *rules.Set) (all []tlsCell) {
	for _, c := range set.Causes() {
		if !strings.HasPrefix(c.ID, "tls.") {
			continue
		}
		for _, leg := range []session.Side{session.App, session.Upstream} {
			for _, through := range []bool{false, true} {
				for _, v := range bothVersions() {
					all = append(all, tlsCell{c.ID, leg, through, v})
				}
			}
		}
	}
	return all
}

// tlsRows and tlsExcuses are the table.
func tlsRows() []tlsRow {
	return slices.Concat(terminatedUpstream(), terminatedApp(), throughUpstream(), throughApp())
}

func tlsExcuses() []tlsExcuse {
	return slices.Concat(terminatedExcuses(), throughExcuses())
}

// Each cause of the family tls has, on each leg, in each mode and for each
// version, either a row that shows it or a reason why it cannot show there,
// and not both.
func TestTLSMatrixIsComplete(t *testing.T) {
	shown, excused := map[tlsCell]bool{}, map[tlsCell]string{}
	for _, r := range tlsRows() {
		for _, c := range r.cells() {
			shown[c] = true
		}
	}
	for _, e := range tlsExcuses() {
		for _, c := range e.cells() {
			if excused[c] != "" || shown[c] {
				t.Errorf("%s: excused twice, or shown as well", c)
			}
			excused[c] = e.why
		}
	}
	for _, c := range tlsCells(loadRules(t)) {
		if !shown[c] && excused[c] == "" {
			t.Errorf("%s: neither shown nor excused", c)
		}
	}
}

// Each cause of the family tls is found by what the relay records of it,
// wherever it can show, and the record has the break on the leg where it was.
func TestTLSMatrix(t *testing.T) {
	t.Parallel()
	b := bench{loadRules(t), newEngine(t)}
	runs := map[string]func(*testing.T){}
	var names []string
	for _, r := range tlsRows() {
		versions := r.versions
		if versions == nil {
			versions = []uint16{0}
		}
		for _, v := range versions {
			name := r.String()
			if v != 0 {
				name += ", " + tls.VersionName(v)
			}
			if runs[name] != nil {
				t.Errorf("%s: two rows of that name", name)
			}
			names, runs[name] = append(names, name), func(t *testing.T) { r.run(t, b, v) }
		}
	}
	eachAtOnce(t, names, func(t *testing.T, name string) { runs[name](t) })
}

// run shows the row in one version and demands its cause.
func (r tlsRow) run(t *testing.T, b bench, version uint16) {
	f := r.start(t, version)
	l, s := r.relay(t, f, version)
	wantCause(t, b.set, b.engine.Annotate(s), r.unasked(version), s)
	l.inquire(t, b.engine, s)
	found := b.engine.Annotate(s)
	wantCauseOf(t, b.set, found, r.cause, r.acts, s)
	if doubtful := found[0].Certainty == inspect.Possible; doubtful != r.doubtful {
		t.Errorf("%s: found %s, want possible %t\n%s", r.cause, found[0].Certainty, r.doubtful, transcript(s))
	}
	if e := evidence(s, found[0]); e.Fault != nil && e.Leg != r.leg {
		t.Errorf("%s: got the break on the %s leg, want the %s\n%s", r.cause, e.Leg, r.leg, transcript(s))
	}
	r.wantVersion(t, s, version)
}

// start starts the row's fault and its app.
func (r tlsRow) start(t *testing.T, version uint16) *testenv.Fault {
	t.Helper()
	o := testenv.FaultOptions{Breach: r.breach}
	if r.leg == session.Upstream || r.through {
		o.Version = version
	}
	f := &testenv.Fault{}
	if r.fault == "" {
		f = named(t, testenv.SmarthostOptions{Version: o.Version, Breach: o.Breach})
	} else {
		var err error
		if f, err = testenv.StartFault(r.fault, o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
	}
	if r.app != nil {
		r.app(&f.App)
	}
	f.Sends = 1
	if err := f.Relay.HandshakeTimeout.UnmarshalText([]byte(r.patience().String())); err != nil {
		t.Fatal(err)
	}
	return f
}

// relay sends what the row's app sends through the relay that it needs.
func (r tlsRow) relay(t *testing.T, f *testenv.Fault, version uint16) (*loop, *inspect.Session) {
	t.Helper()
	var changes []func(*proxy.Options)
	if r.through {
		changes = append(changes, passthrough)
	}
	if r.own != nil {
		changes = append(changes, r.present(t, f))
	}
	l := startLoop(t, f, changes...)
	l.hurry = l.hurry || r.cause == stalls
	l.offer = func(c *tls.Config) {
		if r.leg == session.App && !r.through && version != 0 {
			c.MinVersion, c.MaxVersion = version, version
		}
		if r.offer != nil {
			r.offer(c)
		}
	}
	sessions := l.run(t, f)
	if len(sessions) != 1 {
		t.Fatalf("got %d sessions, want 1", len(sessions))
	}
	return l, sessions[0]
}

// unasked is the cause that shows before a probe was asked. What the app of a
// passthrough session dislikes in a certificate is hidden from TLS 1.3 on; that
// it does is not.
func (r tlsRow) unasked(version uint16) string {
	if r.through && version == tls.VersionTLS13 && slices.Contains(certificateCauses(), r.cause) {
		return "tls.app-rejected-certificate"
	}
	return r.cause
}

// stalls is the cause that shows when the patience with a handshake is over.
const stalls = "tls.handshake-timeout"

// patience is how long the proxy waits in a handshake: on a busy machine long
// enough for any flight that does come.
func (r tlsRow) patience() time.Duration {
	if r.cause == stalls {
		return 2 * time.Second
	}
	return 30 * time.Second
}

// present gives the relay a certificate of its own, whose authority the app
// trusts.
func (r tlsRow) present(t *testing.T, f *testenv.Fault) func(*proxy.Options) {
	t.Helper()
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := r.own(ca)
	if err != nil {
		t.Fatal(err)
	}
	f.App.Config = testenv.Trust(ca.PEM())
	return func(o *proxy.Options) {
		o.Routes[0].TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
}

// wantVersion looks whether the handshake that broke was one of the version
// that the row is about.
func (r tlsRow) wantVersion(t *testing.T, s *inspect.Session, version uint16) {
	t.Helper()
	for _, e := range s.Events {
		if e.Kind == session.KindTLS && e.Leg == r.leg && e.TLS != nil && e.TLS.Version != "" && version != 0 && e.TLS.Version != tls.VersionName(version) {
			t.Errorf("got a handshake of %s, want %s\n%s", e.TLS.Version, tls.VersionName(version), transcript(s))
		}
	}
}

// evidence is the event that a finding points at first.
func evidence(s *inspect.Session, f inspect.Finding) session.Entry {
	for _, e := range s.Events {
		if len(f.Evidence) > 0 && e.Seq == f.Evidence[0].Event {
			return e
		}
	}
	return session.Entry{}
}
