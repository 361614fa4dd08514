package diagnose

import (
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
)

// findings words symptoms for people, with what the session knows filled in.
func (e *Engine) findings(f *facts, symptoms []symptom) []inspect.Finding {
	var all []inspect.Finding
	for i := range symptoms {
		s := &symptoms[i]
		at := f.s.Started
		if len(s.evidence) > 0 {
			at = s.evidence[0].At
		}
		s.more += f.onThePath(s)
		finding, ok := e.word(s, f.value(s), at)
		if !ok {
			continue
		}
		for _, entry := range s.evidence {
			finding.Evidence = append(finding.Evidence, inspect.Evidence{Event: entry.Seq, Text: f.shows(entry)})
		}
		finding.RuledOut = f.ruledOut(s.cause)
		if f.s.Passthrough {
			finding.Fix = withoutIgnored(finding.Fix)
		}
		all = append(all, finding)
	}
	return all
}

// word makes a finding of a symptom. value fills the placeholders.
func (e *Engine) word(s *symptom, value func(string) string, at time.Time) (inspect.Finding, bool) {
	cause, ok := e.set.Cause(s.cause)
	if !ok {
		return inspect.Finding{}, false
	}
	value = clipped(value)
	title, what, fix, refs, class := cause.Title, cause.Explanation, cause.Fix, cause.Refs, cause.Class
	if s.rule != nil {
		x := s.rule.Explain()
		title, what = or(s.rule.Title, title), or(x.What, what)
		class = policy.Class(or(string(x.Retry), string(class)))
		fix, refs = orList(x.Fix, fix), orList(x.References, refs)
	}
	title, what = or(s.title, title), or(s.what, what)
	if s.fix != nil {
		fix = s.fix
	}
	if s.more != "" {
		what = strings.TrimSpace(what) + " " + s.more
	}
	finding := inspect.Finding{
		Cause: s.cause, Certainty: s.certainty, Side: or(s.side, cause.Side), Rule: s.by,
		Title:       capital(rules.Fill(title, value)),
		Explanation: rules.Fill(strings.TrimSpace(what), value),
		Retry:       retry(policy.Advice(class, policy.Said{Code: s.code, Text: s.text, At: at})),
		Evidence:    []inspect.Evidence{},
		Fix:         append([]string{}, typo(s.cause, value)...),
		Refs:        append([]string{}, refs...),
	}
	for _, step := range append(slices.Clip(s.first), fix...) {
		finding.Fix = append(finding.Fix, rules.Fill(step, value))
	}
	return finding, true
}

// withoutIgnored leaves out the steps that name settings which do nothing in
// passthrough, for the one that makes them count.
func withoutIgnored(steps []string) []string {
	kept := slices.DeleteFunc(steps, func(step string) bool {
		return !strings.Contains(step, "--tls terminate") &&
			(strings.Contains(step, "--upstream-") || strings.Contains(step, "--app-tls"))
	})
	if len(kept) == 0 {
		kept = append(kept, "Let the proxy make the TLS with the smarthost in the app's place: --tls terminate.")
	}
	return kept
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func orList(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}

// capital makes a title begin as a sentence does, when a neutral word stands
// first; names of hosts and users stay as they are.
func capital(title string) string {
	if strings.HasPrefix(title, "the ") || strings.HasPrefix(title, "this ") {
		return strings.ToUpper(title[:1]) + title[1:]
	}
	return title
}

func retry(r policy.Retry) inspect.Retry {
	out := inspect.Retry{Advice: r.Advice, AfterS: int(r.After / time.Second), Schedule: []int{}, Text: r.Text}
	for _, d := range r.Schedule {
		out.Schedule = append(out.Schedule, int(d/time.Second))
	}
	return out
}
