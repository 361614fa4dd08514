package probe

import (
	"context"
	"fmt"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameSNI = "sni"

// SNIStep compares what the smarthost shows to those who say which name they
// want with what it shows to those who say none. Several stand behind one
// address often, and some apps never say a name.
func (steps) SNIStep() step {
	return step{
		name: nameSNI, rank: 52, after: []string{nameDialogue},
		about: "the certificate with a server name (SNI) and without one",
		run:   runSNI,
	}
}

func runSNI(ctx context.Context, x *examination) {
	began := time.Now()
	l := x.sni(ctx)
	l.Took = time.Since(began)
	x.say(nameSNI, l)
}

func (x *examination) sni(ctx context.Context) Line {
	seen, why := x.handshake()
	host := nameAlone(x.known.spoken.Host)
	switch {
	case seen == nil:
		return Line{Status: StatusSkip, Text: why}
	case host == "":
		return Line{Status: StatusSkip, Text: "not examined: the smarthost is given by its address, and no address is ever sent as a server name"}
	}
	without, err := x.prober.shownTo(ctx, x.known.spoken, identity{host: host})
	if err != nil {
		return Line{Status: StatusSkip, Text: "not examined: " + err.Error()}
	}
	with := shown{tls: *seen}
	if len(seen.Chain) == 0 || seen.ServerName != host {
		if with, err = x.prober.shownTo(ctx, x.known.spoken, identity{sni: host, host: host}); err != nil {
			return Line{Status: StatusSkip, Text: "not examined: " + err.Error()}
		}
	}
	return compareNames(host, &with, &without)
}

// shownTo is show behind the gate.
func (p *Prober) shownTo(ctx context.Context, t upstream.Target, id identity) (shown, error) {
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return shown{}, err
	}
	defer leave()
	s, _, err := p.show(ctx, t, id)
	return s, err
}

// whoSendsNone are apps for which the difference matters.
const whoSendsNone = "apps that send none, as Postfix does by default, and old devices"

// compareNames says what the difference means.
func compareNames(host string, with, without *shown) Line {
	switch {
	case len(with.tls.Chain) == 0 && len(without.tls.Chain) == 0:
		return Line{Status: StatusSkip, Text: "not known: no certificate is shown, with the server name or without"}
	case len(without.tls.Chain) == 0:
		return Line{Status: StatusWarn, Text: fmt.Sprintf("without a server name it refuses TLS%s: %s get no further", reason(without.fault), whoSendsNone)}
	case len(with.tls.Chain) == 0:
		return Line{Status: StatusWarn, Text: fmt.Sprintf("it refuses the server name %s%s, and shows a certificate without one: it has another name, or is not the host that is meant", host, reason(with.fault))}
	case sameCertificate(&with.tls.Chain[0], &without.tls.Chain[0]):
		return Line{Status: StatusOK, Text: "the same certificate with and without a server name"}
	case without.tls.Verified:
		return Line{Status: StatusOK, Text: "another certificate without a server name, which is good for " + host + ", too"}
	}
	return Line{Status: StatusWarn, Text: fmt.Sprintf("without a server name it shows another certificate, for %s: %s refuse it if they verify", leafNames(&without.tls.Chain[0]), whoSendsNone)}
}

func reason(f *session.Fault) string {
	if f == nil {
		return ""
	}
	return " (" + f.Text + ")"
}
