//go:build rigs

package rigs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestReplay has each mail program send through the proxy to a real server,
// and plays its sessions again: unchanged, to another address, to their own,
// and after the server has changed its mind.
func TestReplay(t *testing.T) {
	k := newKit(t)
	letter := write(t, filepath.Join(k.scratch(t), "letter.eml"), head+awkward())
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			m := &changing{mta: s.start(t, k)}
			for _, l := range []legs{{clear, starttls}, {starttls, starttls}, {implicit, implicit}, {clear, clear}} {
				t.Run(l.app+" to "+l.upstream, func(t *testing.T) {
					r := &repeats{mta: m, legs: l, letter: letter}
					r.proxy = newProxy(t, k, m.mta, l)
					r.perform(t, l == legs{clear, starttls})
				})
			}
		})
	}
}

// repeats is one proxy in front of one server, and the sessions that are
// played again.
type repeats struct {
	proxy  *proxy
	mta    *changing
	legs   legs
	letter string
	jobs   jobs
	all    []repeated
}

// repeated is what one program has sent.
type repeated struct {
	client    string
	delivered string // the session that went well
	box       string // where it went
	refused   string // the session that was refused
	missing   string // for this recipient
	login     string // the session that signed in, empty for none
	loginBox  string

	told, toldRefused report // of the first two
}

// perform sends and plays again; all of it with one combination of legs, and
// with the others what depends on them.
func (r *repeats) perform(t *testing.T, all bool) {
	r.proxy.run(t)
	r.send(t, all)
	r.proxy.finish(t)
	if t.Failed() {
		return
	}
	t.Run("unchanged", func(t *testing.T) { r.each(t, r.unchanged) })
	if all {
		t.Run("as a sandbox", r.asSandbox)
		t.Run("signed in", func(t *testing.T) { r.each(t, r.signedIn) })
		t.Run("delivered", func(t *testing.T) { r.each(t, r.deliver) })
		r.turn(t)
		t.Run("changed", func(t *testing.T) { r.each(t, r.changed) })
	}
	t.Run("secrets", func(t *testing.T) { checkSecrets(t, r.proxy) })
}

// each does step for each program's sessions.
func (r *repeats) each(t *testing.T, step func(*testing.T, repeated)) {
	for _, s := range r.all {
		t.Run(s.client, func(t *testing.T) { step(t, s) })
	}
}

// send has each program deliver to a mailbox, and to one that the server does
// not know for now.
func (r *repeats) send(t *testing.T, logins bool) {
	helos := map[string]*string{}
	r.all = make([]repeated, len(clients()))
	var missing []string
	for i, c := range clients() {
		boxes := r.mta.mailboxes(t, 3)
		r.all[i] = repeated{client: c.name, box: boxes[0], missing: boxes[1], loginBox: boxes[2]}
		missing = append(missing, boxes[1])
	}
	r.mta.refuse(t, missing...)
	for i, c := range clients() {
		s := &r.all[i]
		s.told = r.hand(t, c, s.box, "", helos, &s.delivered)
		s.toldRefused = r.hand(t, c, s.missing, "", helos, &s.refused)
		if c.auth && logins {
			r.hand(t, c, s.loginBox, "PLAIN", helos, &s.login)
		}
	}
	eventually(t, "session of each message in the record", func() bool {
		found, complete := byHelo(r.proxy.sessions(t)), true
		for helo, id := range helos {
			*id = found[helo].ID
			complete = complete && *id != ""
		}
		return complete
	}, func() string { return tail(r.proxy.log) })
}

// hand sends one message. Its session's id is wanted where the name that the
// app gives points to.
func (r *repeats) hand(t *testing.T, c client, to, mech string, wanted map[string]*string, id *string) report {
	t.Helper()
	j := job{
		Addr: r.proxy.addr, TLS: r.legs.app, CA: filepath.Join(r.proxy.data, "ca.pem"),
		Mech: mech, User: account, Password: password,
		Helo: r.jobs.helo(), From: account, To: []string{to}, File: r.letter,
	}
	wanted[j.Helo] = id
	told := c.send(t, j)
	if mech != "" || !r.mta.refuses(t, to) {
		r.mta.stored(t, to)
	}
	return told
}

// unchanged plays the sessions without a word about delivery: all is answered
// as it was, and the server takes nothing.
func (r *repeats) unchanged(t *testing.T, s repeated) {
	before := r.mta.accepted(t)
	dry := r.proxy.replay(t, r.mta.mta, s.delivered, "--pace", "real")
	dry.wantIdentical(t)
	wantUnsent(t, dry, "DATA", "BDAT")
	r.proxy.replay(t, r.mta.mta, s.refused).wantIdentical(t)
	if after := r.mta.accepted(t); after != before {
		t.Errorf("%s took %d messages from replays that were to deliver none", r.mta.name, after-before)
	}
}

// signedIn plays the session with the secret that the record does not hold,
// and without it.
func (r *repeats) signedIn(t *testing.T, s repeated) {
	if s.login == "" {
		return
	}
	before := r.mta.accepted(t)
	secret := write(t, filepath.Join(t.TempDir(), "password"), password)
	r.proxy.replay(t, r.mta.mta, s.login, "--user", account, "--password-file", secret).wantIdentical(t)
	wantUnsent(t, r.proxy.replay(t, r.mta.mta, s.login), "AUTH")
	if after := r.mta.accepted(t); after != before {
		t.Errorf("%s took %d messages from replays that were to deliver none", r.mta.name, after-before)
	}
}

// wantUnsent demands that one of these verbs is named as not sent.
func wantUnsent(t *testing.T, r replayed, verbs ...string) {
	t.Helper()
	for _, command := range r.NotSent {
		for _, verb := range verbs {
			if strings.HasPrefix(strings.ToUpper(command), verb) {
				return
			}
		}
	}
	t.Errorf("got %q as not sent, want one of %q there\n%s", r.NotSent, verbs, r.text)
}

// deliver plays the session to another address and to its own: the message
// comes there once, octet by octet.
func (r *repeats) deliver(t *testing.T, s repeated) {
	to := r.mta.mailboxes(t, 1)[0]
	want := plainMessage(r.mta.stored(t, s.box))
	before := r.mta.accepted(t)
	r.proxy.replay(t, r.mta.mta, s.delivered, "--to", to).wantIdentical(t)
	sameText(t, plainMessage(r.mta.stored(t, to)), want)
	r.mta.stored(t, s.box) // still the one
	r.proxy.replay(t, r.mta.mta, s.delivered, "--deliver").wantIdentical(t)
	eventually(t, "second message", func() bool {
		all, _ := filepath.Glob(filepath.Join(r.mta.mail, localPart(s.box), "new", "*"))
		return len(all) == 2
	}, func() string { return tail(r.mta.log) })
	if got := r.mta.accepted(t) - before; got != 2 {
		t.Errorf("%s took %d messages, want one for --to and one for --deliver", r.mta.name, got)
	}
}

// turn has the server refuse whom it knew, and know whom it refused.
func (r *repeats) turn(t *testing.T) {
	t.Helper()
	var known []string
	for _, s := range r.all {
		known = append(known, s.box)
	}
	r.mta.refuse(t, known...)
}

// changed plays the sessions after the turn: the recipient's line, and no
// other, is different. Where all that is new is that it is taken now, the
// session comes further than then; where it is refused, not as far.
func (r *repeats) changed(t *testing.T, s repeated) {
	r.proxy.replay(t, r.mta.mta, s.delivered).wantDifference(t, 24, s.box, "250", "550")
	r.proxy.replay(t, r.mta.mta, s.refused).wantDifference(t, 1, s.missing, "550", "250")
}
