package inspect

import (
	"time"
	"unique"

	"smtp-proxy/proxy/session"
)

// brief is an entry in less memory, for the sessions that wait: what it has in
// common with others is shared, and of what few have there is one pointer.
type brief struct {
	at       time.Time
	text     string
	enhanced string
	bytes    int64
	wait     time.Duration
	shape    unique.Handle[shape]
	facts    *facts // nil for most
	seq      int
	code     int
}

// shape is what the entries of many sessions have in common.
type shape struct {
	leg               session.Side
	from              session.Origin
	kind              session.Kind
	phase             session.Phase
	verb              string
	odd               session.Oddity
	own, secure, edit bool
}

type facts struct {
	lookup *session.Lookup
	dial   *session.Dial
	tls    *session.TLS
	auth   *session.Auth
	fault  *session.Fault
	tcp    *session.TCP
	silent *session.Silent
	probe  *session.Probe
}

func briefOf(e *session.Entry) brief {
	b := brief{
		at: e.At, text: e.Text, enhanced: e.Enhanced, bytes: e.Bytes, wait: e.Wait, seq: e.Seq, code: e.Code,
		shape: unique.Make(shape{e.Leg, e.From, e.Kind, e.Phase, e.Verb, e.Odd, e.Own, e.Secure, e.Edit}),
	}
	if f := (facts{e.Lookup, e.Dial, e.TLS, e.Auth, e.Fault, e.TCP, e.Silent, e.Probe}); f != (facts{}) {
		b.facts = &f
	}
	return b
}

func (b *brief) entry() session.Entry {
	s := b.shape.Value()
	e := session.Entry{
		Seq: b.seq, At: b.at, Leg: s.leg, From: s.from, Kind: s.kind, Phase: s.phase, Verb: s.verb,
		Own: s.own, Secure: s.secure, Edit: s.edit, Code: b.code, Enhanced: b.enhanced, Text: b.text,
		Bytes: b.bytes, Wait: b.wait, Odd: s.odd,
	}
	if f := b.facts; f != nil {
		e.Lookup, e.Dial, e.TLS, e.Auth = f.lookup, f.dial, f.tls, f.auth
		e.Fault, e.TCP, e.Silent, e.Probe = f.fault, f.tcp, f.silent, f.probe
	}
	return e
}
