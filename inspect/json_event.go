package inspect

import (
	"time"

	"smtp-proxy/proxy/session"
)

// eventJSON is one entry of a session's history.
type eventJSON struct {
	Seq      int             `json:"seq"`
	At       tenths          `json:"at_ms"` // since the session's start
	Leg      string          `json:"leg"`
	From     string          `json:"from"`
	Kind     session.Kind    `json:"kind"`
	Text     string          `json:"text"`
	Phase    session.Phase   `json:"phase,omitempty"`
	Verb     string          `json:"verb,omitempty"`
	Code     int             `json:"code,omitempty"`
	Enhanced string          `json:"enhanced,omitempty"`
	Bytes    int64           `json:"bytes,omitempty"`
	Wait     *tenths         `json:"wait_ms,omitempty"`
	Own      bool            `json:"own,omitempty"`
	Secure   bool            `json:"secure,omitempty"`
	Edit     bool            `json:"edit,omitempty"`
	Odd      session.Oddity  `json:"odd,omitempty"`
	Lookup   *session.Lookup `json:"lookup,omitempty"`
	Dial     *session.Dial   `json:"dial,omitempty"`
	TLS      *session.TLS    `json:"tls,omitempty"`
	Took     *tenths         `json:"tls_ms,omitempty"` // how long the handshake took
	Auth     *session.Auth   `json:"auth,omitempty"`
	Fault    *session.Fault  `json:"fault,omitempty"`
	TCP      *session.TCP    `json:"tcp,omitempty"`
	Silent   *session.Silent `json:"silent,omitempty"`
	Probe    *session.Probe  `json:"probe,omitempty"`
}

func eventOf(e *session.Entry, started time.Time) eventJSON {
	out := eventJSON{
		Seq: e.Seq, At: tenths(e.At.Sub(started)), Leg: e.Leg.String(), From: e.From.String(),
		Kind: e.Kind, Text: e.Text, Phase: e.Phase, Verb: e.Verb, Code: e.Code, Enhanced: e.Enhanced,
		Bytes: e.Bytes, Own: e.Own, Secure: e.Secure, Edit: e.Edit, Odd: e.Odd,
		Lookup: e.Lookup, Dial: e.Dial, TLS: completeTLS(e.TLS), Auth: e.Auth, Fault: e.Fault,
		TCP: e.TCP, Silent: e.Silent, Probe: e.Probe,
	}
	if e.Wait != 0 {
		wait := tenths(e.Wait)
		out.Wait = &wait
	}
	if e.TLS != nil && e.TLS.Duration != 0 {
		took := tenths(e.TLS.Duration)
		out.Took = &took
	}
	return out
}

func (v *eventJSON) entry(started time.Time) session.Entry {
	e := session.Entry{
		Seq: v.Seq, At: started.Add(time.Duration(v.At)), Kind: v.Kind, Text: v.Text, Phase: v.Phase,
		Verb: v.Verb, Code: v.Code, Enhanced: v.Enhanced, Bytes: v.Bytes, Own: v.Own, Secure: v.Secure,
		Edit: v.Edit, Odd: v.Odd, Lookup: v.Lookup, Dial: v.Dial, TLS: v.TLS, Auth: v.Auth, Fault: v.Fault,
		TCP: v.TCP, Silent: v.Silent, Probe: v.Probe,
	}
	if v.Leg == session.Upstream.String() {
		e.Leg = session.Upstream
	}
	switch v.From {
	case session.FromUpstream.String():
		e.From = session.FromUpstream
	case session.FromProxy.String():
		e.From = session.FromProxy
	}
	if v.Wait != nil {
		e.Wait = time.Duration(*v.Wait)
	}
	if v.Took != nil && e.TLS != nil {
		e.TLS.Duration = time.Duration(*v.Took)
	}
	return e
}
