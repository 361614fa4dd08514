package inspect

import (
	"encoding/json"
	"strconv"
	"time"

	"smtp-proxy/proxy/session"
)

// AppendSummary appends what [Session.MarshalJSON] writes of a session without
// its events. It does so without encoding/json where a usual session has
// something to say: each session's row waits for it.
func (s *Session) AppendSummary(b []byte) ([]byte, error) {
	w := jsonWriter{b: b}
	w.text(`{"id":`, s.ID)
	w.time(`,"started":`, s.Started)
	w.ended(s)
	w.text(`,"route":`, s.Route)
	w.textIf(`,"linked":`, s.Linked)
	w.text(`,"app":{"addr":`, s.App.Addr)
	w.text(`,"helo":`, s.App.Helo)
	w.tls(s.App.TLS)
	w.text(`},"upstream":{"name":`, s.Upstream.Name)
	w.text(`,"addr":`, s.Upstream.Addr)
	w.text(`,"provider":`, s.Upstream.Provider)
	w.tls(s.Upstream.TLS)
	w.raw(`},"auth":`)
	if s.Auth == nil {
		w.raw("null")
	} else {
		w.value(s.Auth)
	}
	list(&w, `,"messages":[`, s.Messages, w.message)
	w.text(`,"outcome":`, string(s.Outcome))
	w.textIf(`,"phase":`, string(s.Phase))
	if len(s.Codes) > 0 {
		list(&w, `,"codes":[`, s.Codes, func(c *string) { w.text("", *c) })
	}
	list(&w, `,"edits":[`, s.Edits, func(e *string) { w.text("", *e) })
	list(&w, `,"findings":[`, s.Findings, func(f *Finding) { w.value(f) })
	w.numberIf(`,"dropped":`, s.Dropped)
	w.numberIf(`,"omitted_messages":`, s.Omitted)
	if s.Direct != nil {
		w.direct(s.Direct)
	}
	if s.Passthrough {
		w.raw(`,"passthrough":true`)
	}
	w.raw("}")
	return w.b, w.err
}

// jsonWriter appends JSON as encoding/json writes it. Names stand in front of
// values, with all that has to stand between them and the value before.
type jsonWriter struct {
	b   []byte
	err error
}

func (w *jsonWriter) raw(s string) { w.b = append(w.b, s...) }

// value leaves a value to encoding/json.
func (w *jsonWriter) value(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		w.err = err
	}
	w.b = append(w.b, text...)
}

// text appends a string. One that is unusual is left to encoding/json.
func (w *jsonWriter) text(name, s string) {
	w.raw(name)
	start, done := len(w.b), 0
	w.b = append(w.b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~' || c == '"' || c == '\\':
			w.b = w.b[:start]
			w.value(s)
			return
		case c == '<' || c == '>' || c == '&': // as in every message id
			w.b = append(w.b, s[done:i]...)
			w.b = append(w.b, '\\', 'u', '0', '0', '0'+c>>4, "0123456789abcdef"[c&15])
			done = i + 1
		}
	}
	w.b = append(w.b, s[done:]...)
	w.b = append(w.b, '"')
}

func (w *jsonWriter) textIf(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *jsonWriter) number(name string, n int64) {
	w.raw(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *jsonWriter) numberIf(name string, n int) {
	if n != 0 {
		w.number(name, int64(n))
	}
}

func (w *jsonWriter) time(name string, t time.Time) {
	w.raw(name)
	w.b = t.UTC().AppendFormat(w.b, `"`+stampLayout+`"`)
}

func (w *jsonWriter) ended(s *Session) {
	var took time.Duration
	if s.Ended.IsZero() {
		w.raw(`,"ended":null`)
	} else {
		w.time(`,"ended":`, s.Ended)
		took = s.Ended.Sub(s.Started)
	}
	w.raw(`,"duration_ms":`)
	w.b = strconv.AppendFloat(w.b, float64(took)/float64(time.Millisecond), 'f', 1, 64)
}

func (w *jsonWriter) tls(t *session.TLS) {
	w.raw(`,"tls":`)
	if t == nil {
		w.raw("null")
		return
	}
	w.value(completeTLS(t))
}

func (w *jsonWriter) direct(d *Direct) {
	w.raw(`,"direct":{"tested":`)
	w.b = strconv.AppendBool(w.b, d.Tested)
	w.raw(`,"would_connect":`)
	w.b = strconv.AppendBool(w.b, d.WouldConnect)
	w.textIf(`,"cause":`, d.Cause)
	w.textIf(`,"setting":`, d.Setting)
	w.textIf(`,"text":`, d.Text)
	w.raw("}")
}

func (w *jsonWriter) message(m *Message) {
	w.text(`{"from":`, m.From)
	list(w, `,"to":[`, m.To, func(r *Recipient) {
		w.text(`{"addr":`, r.Addr)
		w.reply(r.Code, r.Enhanced, r.Text)
		w.raw("}")
	})
	w.number(`,"size":`, m.Size)
	w.text(`,"subject":`, m.Subject)
	w.text(`,"message_id":`, m.MessageID)
	w.reply(m.Code, m.Enhanced, m.Text)
	w.textIf(`,"captured":`, m.Captured)
	w.numberIf(`,"refused":`, m.Refused)
	w.numberIf(`,"omitted":`, m.Omitted)
	w.raw("}")
}

func (w *jsonWriter) reply(code int, enhanced, text string) {
	w.number(`,"code":`, int64(code))
	w.text(`,"enhanced":`, enhanced)
	w.text(`,"text":`, text)
}

// list appends a list behind its name and bracket.
func list[T any](w *jsonWriter, name string, all []T, each func(*T)) {
	w.raw(name)
	for i := range all {
		if i > 0 {
			w.raw(",")
		}
		each(&all[i])
	}
	w.raw("]")
}
