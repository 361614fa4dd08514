package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"smtp-proxy/proxy/session"
)

// facts are the parts of an entry that few entries have, but for the handshake.
// They are written as JSON, except where there are no others than those that
// every session has: then as a byte that says which, and their fields in order,
// numbers as varints.
type facts struct {
	Lookup *session.Lookup `json:"lookup,omitempty"`
	Dial   *session.Dial   `json:"dial,omitempty"`
	Auth   *session.Auth   `json:"auth,omitempty"`
	Fault  *session.Fault  `json:"fault,omitempty"`
	TCP    *session.TCP    `json:"tcp,omitempty"`
	Silent *session.Silent `json:"silent,omitempty"`
	Probe  *session.Probe  `json:"probe,omitempty"`
}

// The facts that every session has. Together they stay below '{', with which
// JSON begins.
const (
	factDial = 1 << iota
	factTCP
	factSilent
)

func (c *entryCodec) facts(b []byte, e *session.Entry) ([]byte, error) {
	shake, err := c.handshakes.marshal(e.TLS)
	if err != nil {
		return b, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	f := facts{e.Lookup, e.Dial, e.Auth, e.Fault, e.TCP, e.Silent, e.Probe}
	if c.scratch, err = f.append(c.scratch[:0]); err != nil {
		return b, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	var took time.Duration
	if e.TLS != nil {
		took = e.TLS.Duration
	}
	b = binary.AppendVarint(b, int64(took))
	b = appendBytes(b, shake)
	return appendBytes(b, c.scratch), nil
}

func (f *facts) append(b []byte) ([]byte, error) {
	if f.Lookup != nil || f.Auth != nil || f.Fault != nil || f.Probe != nil {
		text, err := json.Marshal(*f)
		return append(b, text...), err
	}
	b = append(b, 0)
	if d := f.Dial; d != nil {
		b[0] |= factDial
		for _, s := range [...]string{d.Host, d.Addr, d.Family, d.Local} {
			b = appendString(b, s)
		}
		b = binary.AppendVarint(b, int64(d.Duration))
	}
	if t := f.TCP; t != nil {
		b[0] |= factTCP
		for _, n := range [...]int64{int64(t.RTT), int64(t.RTTVar), int64(t.MinRTT), int64(t.Retransmits), int64(t.Lost), int64(t.Unacked)} {
			b = binary.AppendVarint(b, n)
		}
		b = appendString(b, t.State)
	}
	if s := f.Silent; s != nil {
		b[0] |= factSilent
		b = binary.AppendVarint(b, int64(s.App))
		b = binary.AppendVarint(b, int64(s.Upstream))
	}
	return b, nil
}

// readFacts is append's other direction.
func readFacts(b []byte) (f facts, err error) {
	if len(b) > 0 && b[0] == '{' {
		return f, json.Unmarshal(b, &f)
	}
	in := coder{b: b}
	which := in.byte()
	span := func() time.Duration { return time.Duration(in.int()) }
	if which&factDial != 0 {
		f.Dial = &session.Dial{Host: in.string(), Addr: in.string(), Family: in.string(), Local: in.string(), Duration: span()}
	}
	if which&factTCP != 0 {
		f.TCP = &session.TCP{
			RTT: span(), RTTVar: span(), MinRTT: span(),
			Retransmits: int(in.int()), Lost: int(in.int()), Unacked: int(in.int()), State: in.string(),
		}
	}
	if which&factSilent != 0 {
		f.Silent = &session.Silent{App: span(), Upstream: span()}
	}
	if which > factDial|factTCP|factSilent || len(in.b) > 0 {
		in.fail()
	}
	return f, in.err
}

func (c *entryCodec) readFacts(in *coder, e *session.Entry) {
	took, shake, text := in.int(), in.bytes(), in.bytes()
	t, err := c.handshakes.unmarshal(shake)
	f, factsErr := readFacts(text)
	if err != nil || factsErr != nil || in.err != nil {
		in.fail()
		return
	}
	e.Lookup, e.Dial, e.Auth, e.Fault = f.Lookup, f.Dial, f.Auth, f.Fault
	e.TCP, e.Silent, e.Probe = f.TCP, f.Silent, f.Probe
	if t != nil {
		own := *t
		own.Duration = time.Duration(took)
		e.TLS = &own
	}
}
