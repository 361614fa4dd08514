package replay

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// The bounds of a reply, as in the relay.
const (
	maxReply   = 64 << 10 // octets that are kept
	maxReplies = 4 << 20  // octets
	maxOdd     = 100      // lines that are no replies
)

// awaitUpTo reads the replies to everything up to that index of the record.
func (p *player) awaitUpTo(index int) {
	for len(p.due) > 0 && p.due[0].said.index <= index {
		p.await(p.options.Timeout)
	}
}

func (p *player) awaitDown(n int) {
	for len(p.due) > n {
		p.await(p.options.Timeout)
	}
}

func (p *player) awaitAll() { p.awaitDown(0) }

// await reads the next reply that is due.
func (p *player) await(limit time.Duration) {
	p.flush()
	d := p.due[0]
	p.due = p.due[1:]
	odd := p.odd
	now, err := session.Entry{}, io.EOF
	if !p.gone {
		_ = p.conn.SetReadDeadline(time.Now().Add(limit))
		now, err = p.reply()
	}
	if err != nil {
		p.silent(d, err)
		return
	}
	p.heard(d, now, p.odd > odd)
}

// reply reads one reply. Lines that are none go by, and what is too much of one
// is cut, both as in the relay.
func (p *player) reply() (session.Entry, error) {
	var text replyText
	for {
		raw, err := readLine(p.replies)
		if err != nil {
			return session.Entry{}, err
		}
		_, more, _, ok := wire.ReplyLine(raw)
		if !ok {
			text = replyText{}
			if p.odd++; p.odd > maxOdd {
				return session.Entry{}, fmt.Errorf("more than %d lines that are no SMTP replies", maxOdd)
			}
			continue
		}
		if text.add(trimEnd(raw)); text.octets > maxReplies {
			return session.Entry{}, fmt.Errorf("a reply of more than %d octets", maxReplies)
		}
		if !more {
			return p.entry(text.String()), nil
		}
	}
}

// replyText is the text of a reply under way.
type replyText struct {
	lines  []string
	kept   int
	octets int // those that were cut included
}

func (t *replyText) add(line string) {
	t.octets += len(line) + 1
	if t.kept+len(line) <= maxReply {
		t.lines = append(t.lines, line)
		t.kept += len(line) + 1
	}
}

// String marks a reply that was cut as the record does.
func (t *replyText) String() string {
	text := strings.Join(t.lines, "\n")
	if t.kept < t.octets {
		text += "\n[…]"
	}
	return text
}

func trimEnd(line []byte) string { return strings.TrimRight(string(line), "\r\n") }

// readLine reads one line, however it ends.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxReply:
			return nil, fmt.Errorf("a reply line of more than %d octets", maxReply)
		}
	}
}

// entry is a reply in the words of the record, without the secrets that the
// smarthost may have repeated.
func (p *player) entry(text string) session.Entry {
	text = p.mask(text)
	e := session.Entry{Kind: session.KindReply, From: session.FromUpstream, Text: text, At: time.Now()}
	if r, ok := wire.ParseReply(text); ok {
		e.Code, e.Enhanced = r.Code, r.Enhanced
	}
	return e
}

// silent notes that a reply did not come.
func (p *player) silent(d due, err error) {
	p.gone = true
	p.giveUp = cmp.Or(p.giveUp, lost(err))
	step := Step{Command: d.said.label(), Same: true, Own: d.said.own, Wait: time.Since(d.sent)}
	if r := d.said.reply; r != nil && !d.said.unheard {
		step.Recorded, step.RecordedWait = r.Text, d.said.waited()
		step.Same, step.Why = false, "no reply came now: "+p.words(err)
		p.fails(d.said.phase)
		p.broke("waiting for "+owed(d.said), err)
	} else if d.said.own {
		p.broke("waiting for "+owed(d.said), err)
	}
	p.step(step)
}

// words say why no reply came. The addresses in an error of the network are
// those of the relay in front, which mean nothing to anybody.
func (p *player) words(err error) string {
	var network *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "none within " + rounded(p.options.Timeout).String()
	case errors.Is(err, io.EOF):
		return lost(err)
	case errors.As(err, &network):
		return network.Err.Error()
	}
	return err.Error()
}

// rounded leaves off what is less than a second, but of less than one.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d
	}
	return d.Truncate(time.Second)
}

// lost says why nothing more can be said.
func lost(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "a reply before it did not come in time"
	}
	return "the connection was closed"
}

// owed names the reply to something.
func owed(s *spoken) string {
	switch s.kind {
	case spokenNothing:
		if s.phase == session.PhaseGreeting {
			return "the greeting"
		}
		return "a reply to no command"
	case spokenContent:
		return "the verdict on the message"
	}
	return "the reply to " + s.verb
}

// heard compares a reply with the recorded one and draws the consequences.
func (p *player) heard(d due, now session.Entry, odd bool) {
	s := d.said
	now.Verb, now.Phase = s.verb, s.phase
	if s.kind == spokenNothing && s.phase == session.PhaseGreeting && s.accepts(now.Code) {
		now.Kind = session.KindGreeting
	}
	step := Step{Command: s.label(), Now: now.Text, Own: s.own, Wait: now.At.Sub(d.sent)}
	switch {
	case s.reply != nil:
		step.Recorded, step.RecordedWait = s.reply.Text, s.waited()
		step.Why = Compare(*s.reply, now)
	case !s.own && !s.unheard && !p.left:
		step.Why = "no reply came then"
	}
	if odd && p.script.oddities == 0 {
		step.Why = cmp.Or(step.Why, "a line that is no SMTP reply came before it")
	}
	step.Same = step.Why == ""
	if s.reply != nil {
		p.earlier = s.reply.At
	}
	p.step(step)
	p.judge(s, now)
}

func (p *player) step(s Step) {
	p.result.Steps = append(p.result.Steps, s)
	if p.options.OnStep != nil {
		p.options.OnStep(s)
	}
}
