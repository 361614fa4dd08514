package probe_test

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// climb takes one step of a check, and those that it needs, and returns its
// lines, each "status text", and its answer.
func climb(t *testing.T, p *probe.Prober, at upstream.Target, step string) (lines []string, answer *session.Probe) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := p.Check(ctx, at, probe.Wanted{Steps: []string{step}}, func(probe.Line) {})
	for _, l := range r.Lines {
		if l.Step == step {
			lines = append(lines, string(l.Status)+" "+l.Text)
		}
	}
	for _, e := range r.Answers {
		if e.Probe.Name == step {
			answer = e.Probe
		}
	}
	return lines, answer
}

// states are what became of the versions, the newest first.
func states(answer *session.Probe) (list []string) {
	if answer == nil {
		return nil
	}
	for _, f := range answer.Found {
		list = append(list, f.Result)
	}
	return list
}

// saysAll looks for texts in lines.
func saysAll(t *testing.T, lines []string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, text) }) {
			t.Errorf("no line with %q in\n%s", text, strings.Join(lines, "\n"))
		}
	}
}

const (
	ssl30, tls10, tls11, tls12, tls13 = 0x300, tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13

	rc4, tripleDES, anon, export, null = 0x0005, 0x000a, 0x0034, 0x0003, 0x0002
	rsaCBC, rsaGCM                     = 0x002f, 0x009c
	ecdheGCM, ecdheCBC, dheGCM         = 0xc02f, 0xc013, 0x009e
)

// TestVersionsOfPickers surveys what no library of today serves.
func TestVersionsOfPickers(t *testing.T) {
	tests := []struct {
		name   string
		host   *picker
		states []string
		lines  []string
	}{
		{"a relic", &picker{takes: map[uint16][]uint16{ssl30: {rc4, export}, tls10: {tripleDES, rsaCBC}}},
			[]string{"refused", "refused", "refused", "taken", "taken"},
			[]string{
				"warn TLS 1.0: 1 suite, chose TLS_RSA_WITH_3DES_EDE_CBC_SHA; outdated (RFC 8996)",
				"warn SSL 3.0: weak suites only, TLS_RSA_WITH_RC4_128_SHA first; broken (POODLE)",
				"ok not taken: TLS 1.3, TLS 1.2 and TLS 1.1",
				"warn takes export suites with SSL 3.0 (TLS_RSA_EXPORT_WITH_RC4_40_MD5)",
				"warn takes RC4 with SSL 3.0", "warn takes 3DES with TLS 1.0",
				"warn neither TLS 1.2 nor TLS 1.3",
			}},
		{"anonymous and in clear", &picker{takes: map[uint16][]uint16{tls12: {ecdheGCM, anon, null}, tls11: {anon}}},
			[]string{"refused", "taken", "taken", "refused", "refused"},
			[]string{
				"ok TLS 1.2: 1 suite, prefers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
				"warn takes anonymous suites with TLS 1.2 and TLS 1.1 (TLS_DH_anon_WITH_AES_128_CBC_SHA)",
				"warn takes suites without encryption with TLS 1.2",
			}},
		{"TLS 1.3 with few groups", &picker{takes: map[uint16][]uint16{tls13: {0x1303}}, groups: []uint16{4588, 24, 29}},
			[]string{"taken", "refused", "refused", "refused", "refused"},
			[]string{
				"ok TLS 1.3: 1 suite, TLS_CHACHA20_POLY1305_SHA256; groups P-384 and X25519; post-quantum X25519MLKEM768",
				"ok TLS 1.3 alone",
			}},
		{"TLS 1.3 with many suites and one group", &picker{takes: map[uint16][]uint16{tls13: {0x1304, 0x1302, 0x1301, 0x1303}}, groups: []uint16{23}},
			[]string{"taken", "refused", "refused", "refused", "refused"},
			[]string{"ok TLS 1.3: 4 suites, chose TLS_AES_128_CCM_SHA256; groups P-256; none of post-quantum"}},
		{"the app's order", &picker{takes: map[uint16][]uint16{tls12: {rsaGCM, rsaCBC, dheGCM, ecdheCBC}}, apps: true, dhBits: 1024},
			[]string{"refused", "taken", "refused", "refused", "refused"},
			[]string{
				"ok TLS 1.2: 4 suites in the app's order, here TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
				"warn a Diffie-Hellman group of 1024 bits",
			}},
		{"RSA key exchange alone", &picker{takes: map[uint16][]uint16{tls12: {rsaGCM, rsaCBC}}},
			[]string{"refused", "taken", "refused", "refused", "refused"},
			[]string{"ok TLS 1.2: 2 suites, prefers TLS_RSA_WITH_AES_128_GCM_SHA256", "warn no suite with ECDHE and AES"}},
		{"closes instead of an alert", &picker{takes: map[uint16][]uint16{tls12: {ecdheGCM}}, closes: true},
			[]string{"refused", "taken", "refused", "refused", "refused"},
			[]string{"ok TLS 1.2: 1 suite, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
		{"refuses every name", &picker{alert: 112},
			[]string{"name-refused", "name-refused", "name-refused", "name-refused", "name-refused"},
			[]string{"skip not examined: it refuses the server name, or the want of one"}},
		{"nothing at all", &picker{},
			[]string{"refused", "refused", "refused", "refused", "refused"},
			[]string{"warn no version is taken, SSL 3.0 to TLS 1.3: an offer of TLS 1.2 with every usual suite ends with remote error: tls: handshake failure"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newProber(t, nil, probe.Options{})
			lines, answer := climb(t, p, target(test.host.open(t), upstream.ModeSTARTTLS), "versions")
			saysAll(t, lines, test.lines...)
			if got := states(answer); !slices.Equal(got, test.states) {
				t.Errorf("states %q, want %q", got, test.states)
			}
			if n := test.host.hellos.Load(); n > 25 {
				t.Errorf("%d hellos, want 24 at most beside the dialogue's", n)
			}
		})
	}
}

// TestVersionsOfSmarthosts surveys what Go's library serves.
func TestVersionsOfSmarthosts(t *testing.T) {
	ca := newCA(t)
	tests := []struct {
		smarthost smarthost
		states    []string
		lines     []string
	}{
		{smarthost{name: "usual"}, []string{"taken", "taken", "refused", "refused", "refused"}, []string{
			"ok TLS 1.3: 3 suites, prefers TLS_AES_128_GCM_SHA256; groups X25519, P-256 and P-384; post-quantum X25519MLKEM768, SecP256r1MLKEM768 and SecP384r1MLKEM1024",
			"ok TLS 1.2: 5 suites, prefers TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 over X25519",
			"ok not taken: TLS 1.1, TLS 1.0 and SSL 3.0",
		}},
		{smarthost{name: "all versions", min: tls.VersionTLS10}, []string{"taken", "taken", "taken", "taken", "refused"}, []string{
			"warn TLS 1.1 and TLS 1.0 are taken: outdated", "ok not taken: SSL 3.0",
		}},
		{smarthost{name: "broken suites", max: tls.VersionTLS12, key: "rsa", suites: brokenSuites}, []string{"refused", "taken", "refused", "refused", "refused"}, []string{
			"warn takes RC4 with TLS 1.2", "warn takes 3DES with TLS 1.2",
		}},
		{smarthost{name: "refuses its name", sni: "refused"}, []string{"taken", "taken", "refused", "refused", "refused"}, nil},
		{smarthost{name: "wants a certificate", client: tls.RequireAnyClientCert}, []string{"taken", "taken", "refused", "refused", "refused"}, nil},
	}
	for _, test := range tests {
		t.Run(test.smarthost.name, func(t *testing.T) {
			p := newProber(t, ca.Pool(), probe.Options{})
			lines, answer := climb(t, p, target(test.smarthost.open(t, ca), upstream.ModeSTARTTLS), "versions")
			saysAll(t, lines, test.lines...)
			if got := states(answer); !slices.Equal(got, test.states) {
				t.Errorf("states %q, want %q\n%s", got, test.states, strings.Join(lines, "\n"))
			}
		})
	}
}

// TestVersionsInASilence has one version asked for in vain: the others are
// graded all the same.
func TestVersionsInASilence(t *testing.T) {
	host := &picker{takes: map[uint16][]uint16{tls12: {ecdheGCM}}, silent: []uint16{ssl30}}
	p := newProber(t, nil, probe.Options{Timeout: time.Second})
	lines, answer := climb(t, p, target(host.open(t), upstream.ModeSTARTTLS), "versions")
	if got, want := states(answer), []string{"refused", "taken", "refused", "refused", "timeout"}; !slices.Equal(got, want) {
		t.Errorf("states %q, want %q", got, want)
	}
	saysAll(t, lines, "ok TLS 1.2: 1 suite", "skip no answer in time to an offer of SSL 3.0")
}

// TestVersionsCutOff has the survey come to its bounds: what was found stands,
// and that it is not all.
func TestVersionsCutOff(t *testing.T) {
	many := map[uint16][]uint16{}
	for _, v := range []uint16{tls12, tls11, tls10} {
		many[v] = []uint16{0xc013, 0xc014, 0x0033, 0x0039, 0x0067, 0x006b, 0x009e, 0x009f, 0xc02f, 0xc030, 0xcca8, rsaCBC, 0x0035, rsaGCM, 0x009d}
	}
	tests := []struct {
		name    string
		host    *picker
		options probe.Options
		lines   []string
	}{
		{"many suites", &picker{takes: many}, probe.Options{}, []string{"ok TLS 1.2: at least ", "ok not taken: TLS 1.3 and SSL 3.0"}},
		{"the budget", &picker{takes: many}, probe.Options{PerMinute: 9}, []string{"ok TLS 1.2: ", "at least ", "skip not all asked: ", "often enough"}},
		{"no budget", &picker{takes: many}, probe.Options{PerMinute: 1}, []string{"ok TLS 1.2: at least 1 suite, chose", "often enough for this minute; nothing is known of TLS 1.3, TLS 1.1, TLS 1.0 and SSL 3.0"}},
		{"the smarthost has had enough", &picker{takes: many, busy: 9}, probe.Options{}, []string{"ok TLS 1.2: ", "skip not all asked: ", "421 too many connections"}},
		{"it will not go on at all", &picker{takes: many, busy: 2}, probe.Options{}, []string{"ok TLS 1.2: at least 1 suite, chose", "421 too many connections"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newProber(t, nil, test.options)
			lines, _ := climb(t, p, target(test.host.open(t), upstream.ModeSTARTTLS), "versions")
			saysAll(t, lines, test.lines...)
			if n := test.host.greeted.Load(); n > 25 {
				t.Errorf("%d connections, want 24 at most beside the dialogue's", n)
			}
		})
	}
}

// TestVersionsInTheTimeThatIsLeft has the check end in the middle.
func TestVersionsInTheTimeThatIsLeft(t *testing.T) {
	host := &picker{takes: map[uint16][]uint16{tls12: {ecdheGCM, ecdheCBC}}, silent: []uint16{ssl30}}
	at := target(host.open(t), upstream.ModeSTARTTLS)
	ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
	defer cancel()
	var lines []string
	newProber(t, nil, probe.Options{}).Check(ctx, at, probe.Wanted{Steps: []string{"versions"}}, func(l probe.Line) {
		lines = append(lines, string(l.Status)+" "+l.Text)
	})
	if ctx.Err() != nil {
		t.Error("the check has outlived its time")
	}
	saysAll(t, lines, "ok TLS 1.2: at least 1 suite", "skip not all asked: there was no time left for it; nothing is known of SSL 3.0")
}

// TestVersionsAreKept surveys twice: the second time nobody is asked.
func TestVersionsAreKept(t *testing.T) {
	host := &picker{takes: map[uint16][]uint16{tls13: {0x1301}, tls12: {ecdheGCM, rsaCBC}}, groups: []uint16{29}}
	at := target(host.open(t), upstream.ModeSTARTTLS)
	p := newProber(t, nil, probe.Options{})
	first, _ := climb(t, p, at, "versions")
	asked := host.hellos.Load()
	second, answer := climb(t, p, at, "versions")
	if got := host.hellos.Load(); got != asked+1 || !answer.Cached {
		t.Errorf("%d hellos the second time, cached %v; want the dialogue's alone", got-asked, answer.Cached)
	}
	if !slices.Equal(first, second) {
		t.Errorf("first %q, then %q", first, second)
	}
}

// TestVersionsWithoutTLS has nothing to survey, and connects no second time.
func TestVersionsWithoutTLS(t *testing.T) {
	tests := []struct {
		name    string
		replies []string
		text    string
	}{
		{"no STARTTLS", []string{"220 mx\r\n", "250 mx\r\n", "221 bye\r\n"}, "did not get as far as TLS"},
		{"refused", []string{"554 no service\r\n", "221 bye\r\n"}, "did not get as far as TLS"},
	}
	for _, test := range tests {
		for _, step := range []string{"versions", "chain", "sni"} {
			p := newProber(t, nil, probe.Options{})
			lines, _ := climb(t, p, target(peer(t, test.replies, stays), upstream.ModeAuto), step)
			if len(lines) != 1 || !strings.HasPrefix(lines[0], "skip not examined: ") || !strings.Contains(lines[0], test.text) {
				t.Errorf("%s, %s: %q; want skip, %q", test.name, step, lines, test.text)
			}
			if n := p.Counts().Connections; n > 1 {
				t.Errorf("%s, %s: %d connections, want the dialogue's alone", test.name, step, n)
			}
		}
	}
}

// TestImplicitTLS takes all three steps to a port that speaks TLS first.
func TestImplicitTLS(t *testing.T) {
	ca := newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, testenv.SmarthostOptions{Implicit: true, TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}})
	for step, want := range map[string]string{"versions": "ok TLS 1.3: 3 suites", "chain": "ok leads to", "sni": "ok the same certificate"} {
		lines, _ := climb(t, newProber(t, ca.Pool(), probe.Options{}), target(s.Addr(), upstream.ModeImplicit), step)
		saysAll(t, lines, want)
	}
}
