package inspect

import "smtp-proxy/proxy/session"

// ProbeDirect is the name of the probe that says whether the app would reach
// the smarthost without the proxy.
const ProbeDirect = "direct"

// Direct says whether the app would get through TLS with the smarthost if it
// talked to it without the proxy, by what it offered on its own leg.
type Direct struct {
	Tested       bool   `json:"tested"`
	WouldConnect bool   `json:"would_connect"`
	Cause        string `json:"cause,omitempty"`   // of the failure that it would meet
	Setting      string `json:"setting,omitempty"` // the one setting of the app that stands in the way
	Text         string `json:"text,omitempty"`
}

// Answer adds the answer of a probe that was asked when the session had ended.
func (s *Session) Answer(e *session.Entry) {
	if s.Events != nil {
		s.Events = append(s.Events[:len(s.Events):len(s.Events)], *e)
	}
	s.probed(e)
}

// probed takes what a probe says of the session as a whole.
func (s *Session) probed(e *session.Entry) {
	if e.Probe == nil || e.Probe.Name != ProbeDirect {
		return
	}
	s.Direct = &Direct{
		Tested:       e.Probe.Result != "skip",
		WouldConnect: e.Probe.Result == "ok",
		Cause:        e.Probe.Cause,
		Setting:      e.Probe.Setting,
		Text:         e.Text,
	}
}

// untested says of a session whose app spoke in clear to the proxy that
// nothing is known of the app's own TLS.
func (s *Session) untested() *Direct {
	t := s.Upstream.TLS
	if t == nil || t.Version == "" || t.Passthrough || s.App.TLS != nil {
		return nil
	}
	return &Direct{Text: "not tested: the app's leg is in clear (--app-tls offer would show)"}
}
