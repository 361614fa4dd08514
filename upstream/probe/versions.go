package probe

import (
	"context"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

const nameVersions = "versions"

// VersionsStep examines which versions of TLS the smarthost takes, SSL 3.0 to
// TLS 1.3, and with which suites and groups. It warns of what is outdated: a
// failure is the dialogue's to tell, which has met it or has not.
func (steps) VersionsStep() step {
	return step{
		name: nameVersions, rank: 50, after: []string{nameDialogue},
		about: "the TLS versions, suites and groups that the smarthost takes",
		run:   runVersions,
	}
}

func runVersions(ctx context.Context, x *examination) {
	seen, why := x.handshake()
	if seen == nil {
		x.say(nameVersions, Line{Status: StatusSkip, Text: why})
		return
	}
	began := time.Now()
	s := newSurvey(x.prober, x.known.spoken, patienceAfter(x.known.dialogue))
	s.run(ctx)
	s.agree(seen)
	lines := s.lines()
	lines[0].Took = time.Since(began)
	for _, l := range lines {
		x.say(nameVersions, l)
	}
	x.answer(x.prober.answer(x.known.spoken, s.entry()))
}

// handshake returns what the dialogue saw of TLS, or why there is nothing. A
// handshake that got no answer in time is left to the path-mtu step: each
// further one would wait as long.
func (x *examination) handshake() (seen *session.TLS, why string) {
	why = noConnection
	for i := range x.known.dialogue {
		e := &x.known.dialogue[i]
		if e.Leg != session.Upstream {
			continue
		}
		switch e.Kind {
		case session.KindTLS:
			if e.Fault != nil && e.Fault.Class == session.FaultTimeout {
				return nil, "not examined: the handshake got no answer in time"
			}
			if e.TLS != nil {
				seen = e.TLS
			}
		case session.KindOpen:
			why = "not examined: the session did not get as far as TLS"
		}
	}
	return seen, why
}

// patienceAfter is how long an answer may take, by how long the dialogue took
// to get as far as TLS: a smarthost that greets late does so every time.
func patienceAfter(dialogue []session.Entry) time.Duration {
	const atLeast = 3 * time.Second
	var opened time.Time
	for i := range dialogue {
		switch e := &dialogue[i]; {
		case e.Leg != session.Upstream:
		case e.Kind == session.KindOpen:
			opened = e.At
		case e.Kind == session.KindTLS && !opened.IsZero():
			return atLeast + 2*max(0, e.At.Sub(opened))
		}
	}
	return atLeast
}

// agree takes the dialogue's word for a version that it has used. It made a
// whole handshake, where the survey goes no further than the first answer.
func (s *survey) agree(seen *session.TLS) {
	version, ok := wire.VersionID(seen.Version)
	suite, known := wire.SuiteID(seen.Cipher)
	if !ok || !known {
		return
	}
	for _, g := range s.grades {
		if g.version == version && g.state != stateTaken {
			g.state, g.suites, g.doubtful = stateTaken, []uint16{suite}, true
		}
	}
}

// entry is the survey as an answer for the record.
func (s *survey) entry() session.Entry {
	e := session.Entry{Text: s.summary(), Probe: &session.Probe{Name: nameVersions, Result: resultOK, Cached: s.connections() == 0}}
	if !s.answered() {
		e.Probe.Result = resultSkip
	}
	for _, g := range s.grades {
		f := session.Found{What: versionName(g.version), Result: g.state}
		if g.state == stateTaken {
			f.Text = g.words(s.order)
		}
		e.Probe.Found = append(e.Probe.Found, f)
	}
	return e
}
