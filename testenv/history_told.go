package testenv

import (
	"math/rand/v2"
	"time"

	"smtp-proxy/proxy/session"
)

// told is one session of a [History] while it is being told.
type told struct {
	batch  []session.Record
	info   *session.Info
	at     time.Time
	seq    int
	random *rand.Rand
}

func (t *told) entry(e session.Entry) {
	t.seq++
	e.Seq, e.At = t.seq, t.at
	t.batch = append(t.batch, session.Record{Session: t.info, Entry: &e, At: t.at})
}

// after lets time pass: about d, now and then much more.
func (t *told) after(d time.Duration) time.Duration {
	d = time.Duration(float64(d) * (0.5 + t.random.ExpFloat64()/2))
	t.at = t.at.Add(d)
	return d
}

func (t *told) legs() {
	t.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindOpen, Phase: session.PhaseConnect})
	took := t.after(2 * time.Millisecond)
	t.entry(session.Entry{
		Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen, Phase: session.PhaseConnect,
		Dial: &session.Dial{Host: t.info.Upstream, Addr: "192.0.2.10:587", Family: "ipv4", Duration: took},
	})
}

func (t *told) greeting(text string) {
	wait := t.after(3 * time.Millisecond)
	t.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Phase: session.PhaseGreeting, Code: 220, Text: text, Bytes: int64(len(text) + 2), Wait: wait})
}

// turn is a command and the reply to it.
func (t *told) turn(verb string, phase session.Phase, command string, code int, reply string, wait time.Duration) {
	t.after(200 * time.Microsecond)
	t.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Phase: phase, Verb: verb, Text: command, Bytes: int64(len(command) + 2)})
	t.reply(verb, phase, code, reply, wait)
}

func (t *told) reply(verb string, phase session.Phase, code int, text string, wait time.Duration) {
	e := session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Phase: phase, Verb: verb, Code: code, Text: text, Bytes: int64(len(text) + 2), Wait: t.after(wait)}
	if len(text) > 9 && text[4] == byte('0'+code/100) && text[5] == '.' {
		e.Enhanced = text[4:9]
	}
	t.entry(e)
}

func (t *told) message() {
	const text = "From: <app@example.com>\r\nSubject: Your order is on its way\r\n\r\nHello.\r\n.\r\n"
	t.batch = append(t.batch, session.Record{Session: t.info, Body: []byte(text[:len(text)-3]), At: t.at})
	t.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindData, Phase: session.PhaseDot, Bytes: int64(len(text))})
	t.reply(".", session.PhaseDot, 250, "250 2.0.0 queued as 4bXz", 30*time.Millisecond)
}

// farewell ends the session and returns its batch.
func (t *told) farewell() []session.Record {
	t.turn("QUIT", session.PhaseQuit, "QUIT", 221, "221 2.0.0 bye", time.Millisecond)
	t.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindClose, Phase: session.PhaseQuit})
	t.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindClose, Phase: session.PhaseQuit})
	return append(t.batch, session.Record{Session: t.info, Closed: true, At: t.at})
}
