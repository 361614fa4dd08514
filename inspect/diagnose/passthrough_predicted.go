package diagnose

import (
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// The words of a prediction are those for a session in which the proxy makes
// the TLS: what would happen without it.
const (
	withoutProxy  = "without the proxy "
	predictedFail = withoutProxy + "the app would fail: "
)

// predicted is what a prediction found out, as a sentence for a session in
// which the app has talked to the upstream itself.
func predicted(p *session.Entry) string {
	text := firstLine(p.Text)
	if found, ok := strings.CutPrefix(text, predictedFail); ok {
		text = found
	} else {
		text = strings.TrimPrefix(text, withoutProxy)
	}
	if offer, ok := strings.CutPrefix(text, "it offers "); ok {
		text = "the app offers " + offer
	}
	return "The proxy made the app's offer once more, and tried what would be taken: " + strings.TrimRight(text, ". ") + "."
}

// shows is what an entry tells as evidence. A prediction that was worth telling
// stands in the explanation already, and speaks of another way of running.
func (f *facts) shows(e *session.Entry) string {
	if f.s.Passthrough && e.Probe != nil && e.Probe.Name == inspect.ProbeDirect {
		return "the proxy made the app's offer once more: it was not taken"
	}
	return beginning(e.Text, mostProof)
}
