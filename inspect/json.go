package inspect

import (
	"encoding/json"
	"strconv"
	"time"

	"smtp-proxy/proxy/session"
)

// sessionJSON is a session as the commands, the API and the exports show it.
type sessionJSON struct {
	ID       string      `json:"id"`
	Started  stamp       `json:"started"`
	Ended    *stamp      `json:"ended"` // null while open
	Duration tenths      `json:"duration_ms"`
	Route    string      `json:"route"`
	Linked   string      `json:"linked,omitempty"`
	App      AppLeg      `json:"app"`
	Upstream UpstreamLeg `json:"upstream"`
	Auth     *Auth       `json:"auth"`
	Messages []Message   `json:"messages"`
	Outcome  Outcome     `json:"outcome"`
	Phase    string      `json:"phase,omitempty"`
	Codes    []string    `json:"codes,omitempty"`
	Edits    []string    `json:"edits"`
	Findings []Finding   `json:"findings"`
	Dropped  int         `json:"dropped,omitempty"`
	Omitted  int         `json:"omitted_messages,omitempty"`
	Direct   *Direct     `json:"direct,omitempty"`
	Through  bool        `json:"passthrough,omitempty"`
	Events   []eventJSON `json:"events,omitempty"`
}

// MarshalJSON writes the session in the one shape that everything shares.
// Times are in UTC and to the millisecond. The history is there when Events
// is not nil.
func (s *Session) MarshalJSON() ([]byte, error) {
	out := sessionJSON{
		ID: s.ID, Started: stamp(s.Started), Route: s.Route, Linked: s.Linked,
		App: s.App, Upstream: s.Upstream, Auth: s.Auth,
		Messages: listed(s.Messages, completeMessage), Outcome: s.Outcome, Phase: string(s.Phase),
		Codes: s.Codes, Edits: orEmpty(s.Edits), Findings: listed(s.Findings, completeFinding),
		Dropped: s.Dropped, Omitted: s.Omitted, Direct: s.Direct, Through: s.Passthrough,
	}
	out.App.TLS, out.Upstream.TLS = completeTLS(s.App.TLS), completeTLS(s.Upstream.TLS)
	if !s.Ended.IsZero() {
		ended := stamp(s.Ended)
		out.Ended, out.Duration = &ended, tenths(s.Ended.Sub(s.Started))
	}
	if s.Events == nil {
		return json.Marshal(&out)
	}
	out.Events = make([]eventJSON, len(s.Events))
	for i := range s.Events {
		out.Events[i] = eventOf(&s.Events[i], s.Started)
	}
	if len(out.Events) == 0 {
		return json.Marshal(struct {
			*sessionJSON
			Events []eventJSON `json:"events"`
		}{&out, out.Events})
	}
	return json.Marshal(&out)
}

// UnmarshalJSON reads what [Session.MarshalJSON] writes.
func (s *Session) UnmarshalJSON(b []byte) error {
	var in sessionJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*s = Session{
		ID: in.ID, Started: time.Time(in.Started), Route: in.Route, Linked: in.Linked,
		App: in.App, Upstream: in.Upstream, Auth: in.Auth, Messages: in.Messages,
		Outcome: in.Outcome, Phase: session.Phase(in.Phase), Codes: in.Codes, Edits: in.Edits,
		Findings: in.Findings, Dropped: in.Dropped, Omitted: in.Omitted, Direct: in.Direct, Passthrough: in.Through,
	}
	if in.Ended != nil {
		s.Ended = time.Time(*in.Ended)
	}
	if in.Events == nil {
		return nil
	}
	s.Events = make([]session.Entry, len(in.Events))
	for i := range in.Events {
		s.Events[i] = in.Events[i].entry(s.Started)
	}
	return nil
}

// stamp is a time to the millisecond, in UTC.
type stamp time.Time

const stampLayout = "2006-01-02T15:04:05.000Z07:00"

func (t stamp) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(`"` + stampLayout + `"`)), nil
}

func (t *stamp) UnmarshalJSON(b []byte) error { return (*time.Time)(t).UnmarshalJSON(b) }

// tenths is a time span in milliseconds with one decimal.
type tenths time.Duration

func (d tenths) MarshalJSON() ([]byte, error) {
	ms := float64(d) / float64(time.Millisecond)
	return strconv.AppendFloat(nil, ms, 'f', 1, 64), nil
}

func (d *tenths) UnmarshalJSON(b []byte) error {
	ms, err := strconv.ParseFloat(string(b), 64)
	*d = tenths(ms * float64(time.Millisecond))
	return err
}

// listed copies a list with every element made complete, so that no list in
// the output is null.
func listed[T any](list []T, complete func(*T)) []T {
	out := make([]T, len(list))
	copy(out, list)
	for i := range out {
		complete(&out[i])
	}
	return out
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func completeMessage(m *Message) { m.To = orEmpty(m.To) }

func completeFinding(f *Finding) {
	f.Evidence, f.Fix, f.Refs = orEmpty(f.Evidence), orEmpty(f.Fix), orEmpty(f.Refs)
	f.Retry.Schedule = orEmpty(f.Retry.Schedule)
}

func completeTLS(t *session.TLS) *session.TLS {
	if t == nil {
		return nil
	}
	out := *t
	out.Chain = listed(t.Chain, func(c *session.Certificate) { c.Names = orEmpty(c.Names) })
	return &out
}

// MarshalJSON writes a finding on its own, as `explain` and `check` show it.
func (f Finding) MarshalJSON() ([]byte, error) {
	type plain Finding
	completeFinding(&f)
	return json.Marshal(plain(f))
}
