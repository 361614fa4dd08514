//go:build rigs

package rigs_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// mainLegs are the combinations of legs in which every scene is played.
func mainLegs() []legs {
	return []legs{{clear, clear}, {starttls, starttls}, {implicit, implicit}}
}

func otherLegs() []legs {
	return []legs{
		{clear, starttls}, {clear, implicit},
		{starttls, clear}, {starttls, implicit},
		{implicit, clear}, {implicit, starttls},
	}
}

// TestMail has each mail program make the same deliveries twice, to the
// server and through the proxy, and compares what the server stored and what
// the program was told. Then the record must tell the same story, and hold no
// secret.
func TestMail(t *testing.T) {
	k := newKit(t)
	files := letters(t, k.scratch(t))
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			m := s.start(t, k)
			for _, l := range append(mainLegs(), otherLegs()...) {
				t.Run(l.app+" to "+l.upstream, func(t *testing.T) { compare(t, k, m, l, files) })
			}
		})
	}
}

// stage is one proxy in front of one server, and what it has been asked.
type stage struct {
	proxy *proxy
	mta   *mta
	legs  legs
	files map[string]string
	jobs  jobs

	mu    sync.Mutex
	asked map[string]scene // by the app's HELO name
}

func compare(t *testing.T, k kit, m *mta, l legs, files map[string]string) {
	st := &stage{proxy: newProxy(t, k, m, l), mta: m, legs: l, files: files, asked: map[string]scene{}}
	st.proxy.run(t)
	t.Run("mail", func(t *testing.T) {
		for _, c := range clients() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				st.perform(t, c)
			})
		}
	})
	st.proxy.finish(t)
	t.Run("record", st.checkRecord)
	t.Run("secrets", func(t *testing.T) { checkSecrets(t, st.proxy) })
}

// perform plays the scenes with one mail program.
func (st *stage) perform(t *testing.T, c client) {
	for _, s := range scenes() {
		if s.mech != "" && !c.auth || !s.always && !slices.Contains(mainLegs(), st.legs) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			direct, want := st.deliver(t, c, s, st.mta.direct(st.legs.app), st.mta.ca)
			proxied, got := st.deliver(t, c, s, st.proxy.addr, st.proxy.data+"/ca.pem")
			if proxied.Final != direct.Final || !maps.Equal(proxied.Refused, direct.Refused) {
				t.Errorf("got reply %q and refusals %q through the proxy, want %q and %q", proxied.Final, proxied.Refused, direct.Final, direct.Refused)
			}
			for i := range want {
				sameText(t, got[i], want[i])
			}
		})
	}
}

// deliver plays a scene once, and returns the program's report and the
// messages that the server stored, both less what differs each time.
func (st *stage) deliver(t *testing.T, c client, s scene, addr, ca string) (report, []string) {
	t.Helper()
	to, accepted := s.recipients(st.mta.mailboxes(t, s.to))
	j := job{
		Addr: addr, TLS: st.legs.app, CA: ca,
		Mech: s.mech, User: account, Password: s.password,
		Helo: st.jobs.helo(), From: account, To: to, File: st.files[s.letter],
	}
	if addr == st.proxy.addr {
		st.expect(j.Helo, s)
	}
	r := c.send(t, j)
	plain := report{Final: plainReply(r.Final), Refused: map[string]string{}}
	for addr, text := range r.Refused {
		plain.Refused[addr] = plainReply(text)
	}
	var texts []string
	for _, box := range accepted {
		texts = append(texts, plainMessage(st.mta.stored(t, box)))
	}
	return plain, texts
}

func (st *stage) expect(helo string, s scene) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.asked[helo] = s
}

// sameText compares two messages and shows where they part.
func sameText(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-60)
	t.Errorf("the stored message differs at octet %d: got %d octets, …%q…, want %d, …%q…", at,
		len(got), got[from:min(len(got), at+60)], len(want), want[from:min(len(want), at+60)])
}

// checkRecord compares the record with what was asked of the proxy.
func (st *stage) checkRecord(t *testing.T) {
	found := byHelo(st.proxy.sessions(t))
	for helo, s := range st.asked {
		r, ok := found[helo]
		if !ok {
			t.Errorf("%s: got no session of %s", s.name, helo)
			continue
		}
		st.checkSession(t, s, r)
		if shown := decode(t, st.proxy.ask(t, "show", "--json", r.ID)); len(shown) != 1 || len(shown[0].Events) == 0 {
			t.Errorf("%s: show %s: got %d sessions and no events, want one with events", s.name, r.ID, len(shown))
		}
	}
}

func (st *stage) checkSession(t *testing.T, s scene, r recorded) {
	t.Helper()
	if r.Outcome != s.outcome() || r.Ended == nil {
		t.Errorf("%s: %s: got outcome %q and ended %v, want %q and a time", s.name, r.ID, r.Outcome, r.Ended, s.outcome())
	}
	if cause := firstCause(r); cause != s.cause() {
		t.Errorf("%s: %s: got first cause %q, want %q", s.name, r.ID, cause, s.cause())
	}
	if got, want := r.App.TLS != nil, st.legs.app != clear; got != want {
		t.Errorf("%s: %s: got TLS on the app's leg %v, want %v", s.name, r.ID, got, want)
	}
	if got, want := r.Upstream.TLS != nil && r.Upstream.TLS.Verified, st.legs.upstream != clear; got != want {
		t.Errorf("%s: %s: got verified TLS on the upstream's leg %v, want %v", s.name, r.ID, got, want)
	}
	if want, known := st.legs.edits(); known && len(r.Edits) != want {
		t.Errorf("%s: %s: got %d edits (%s), want %d", s.name, r.ID, len(r.Edits), strings.Join(r.Edits, "; "), want)
	}
	checkAuth(t, s, r)
	checkMessage(t, s, r)
}

// edits says how often the bytes on the two legs differ, where that is the
// same for all programs. Between two clear legs only the STARTTLS of the
// server is missing; under TLS on both there is nothing to change.
func (l legs) edits() (int, bool) {
	switch l {
	case legs{clear, clear}:
		return 1, true
	case legs{implicit, implicit}:
		return 0, true
	}
	return 0, false
}

func firstCause(r recorded) string {
	if len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Cause
}

func checkAuth(t *testing.T, s scene, r recorded) {
	t.Helper()
	if s.mech == "" {
		return
	}
	if r.Auth == nil || r.Auth.Mechanism != s.mech || r.Auth.Username != account || r.Auth.Accepted != (s.password == password) {
		t.Errorf("%s: %s: got auth %+v, want %s as %s, accepted %v", s.name, r.ID, r.Auth, s.mech, account, s.password == password)
	}
}

func checkMessage(t *testing.T, s scene, r recorded) {
	t.Helper()
	if s.outcome() == "failed" {
		return
	}
	if len(r.Messages) != 1 || r.Messages[0].Code != 250 || len(r.Messages[0].To) != s.to {
		t.Errorf("%s: %s: got messages %+v, want one with %d recipients, answered 250", s.name, r.ID, r.Messages, s.to)
		return
	}
	refused := 0
	for _, to := range r.Messages[0].To {
		if to.Code == 550 {
			refused++
		}
	}
	if want := s.unknown(); refused != want {
		t.Errorf("%s: %s: got %d recipients refused with 550, want %d", s.name, r.ID, refused, want)
	}
}
