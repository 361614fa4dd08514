package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/probe"
)

// examiner checks smarthosts and draws the conclusions.
type examiner struct {
	*program
	c      checkup
	set    *rules.Set
	engine *diagnose.Engine
	out    reporter
}

func (p *program) newExaminer(c checkup) (*examiner, error) {
	set, err := rules.Load()
	if err != nil {
		return nil, err
	}
	x := &examiner{program: p, c: c, set: set, engine: diagnose.New(set, diagnose.Options{Built: builtAt(), Now: p.now})}
	x.out = ladder{transcript{screen: p.onStdout(), now: p.now}}
	if c.asJSON {
		x.out = jsonReport{jsonLines(p.stdout)}
	}
	return x, nil
}

// examined is what a check has brought to light, and what it means.
type examined struct {
	*examinee
	script     probe.Script
	partial    bool // not all steps were wanted
	at         time.Time
	blocklists time.Time // when they were last asked
	provider   string
	report     probe.Report
	findings   []inspect.Finding
	fix        *probe.Fix              // nil without --fix
	earlier    map[string][]probe.Line // what each step said when it was last taken, up to the round before
}

// examine checks one smarthost, within the time that a check has. The first
// round tells what it sees as it goes; before is the last of a later one.
func (x *examiner) examine(ctx context.Context, e *examinee, before *examined) *examined {
	r := &examined{examinee: e, script: x.c.script, partial: x.c.steps != nil, at: x.now()}
	told := quiet
	if before == nil {
		x.out.begin(r)
		told = func(l probe.Line) {
			if ctx.Err() == nil { // an interruption is no failure of the smarthost's
				x.out.line(l)
			}
		}
	}
	limited, cancel := context.WithTimeout(ctx, max(x.c.timeout-probe.LastWord, x.c.timeout/2))
	defer cancel()
	p := x.prober(e)
	r.report = p.Check(limited, e.target, x.wanted(r, before), told)
	r.recall(before)
	if before != nil {
		r.earlier = before.standing()
	}
	x.diagnose(limited, p, r)
	if x.c.fix && ctx.Err() == nil {
		r.fix = x.search(ctx, r)
	}
	return r
}

// prober asks with no memory of earlier rounds: names, certificates and TLS
// sessions are asked for anew. The bounds are those of one check, which a
// person has asked for.
func (x *examiner) prober(e *examinee) *probe.Prober {
	return probe.New(probe.Options{
		Connector: e.connector(), Now: x.now, Name: x.c.script.Name,
		Timeout: min(15*time.Second, x.c.timeout*3/4), AtOnce: 16, PerMinute: 200,
	})
}

// diagnose asks what the answers mean, as for any session.
func (x *examiner) diagnose(ctx context.Context, p prober, r *examined) {
	info := session.Info{
		ID: "check", Started: r.at, Route: r.route, Upstream: r.target.Name, Mode: string(r.target.Mode), AppTLS: "none",
	}
	s := inspect.Examined(&info, r.report.Dialogue, r.report.Answers, x.now())
	r.provider = x.engine.Provider(s)
	s.Upstream.Provider = r.provider
	s.Findings = x.engine.Annotate(s)
	x.ask(ctx, p, r, s)
	r.findings = x.engine.Annotate(s)
}

// shown returns the findings for a reader, who sees no numbered dialogue that
// their evidence could point into, and who need not read the same words of the
// session and again of a probe.
func (r *examined) shown() []inspect.Finding {
	list := slices.Clone(r.findings)
	for i := range list {
		list[i].Evidence = withoutEchoes(list[i].Evidence)
		for j := range list[i].Evidence {
			list[i].Evidence[j].Event = 0
		}
	}
	return list
}

// withoutEchoes leaves out evidence whose words another ends with.
func withoutEchoes(list []inspect.Evidence) (rest []inspect.Evidence) {
	rest = list[:0:0]
	for i, e := range list {
		echo := func(o inspect.Evidence) bool { return o.Text != e.Text && strings.HasSuffix(o.Text, e.Text) }
		same := func(o inspect.Evidence) bool { return o.Text == e.Text }
		if !slices.ContainsFunc(list, echo) && !slices.ContainsFunc(list[:i], same) {
			rest = append(rest, e)
		}
	}
	return rest
}
