package replay

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"strings"

	"smtp-proxy/proxy/wire"
)

// auth plays an AUTH exchange (RFC 4954). Whether a secret is right cannot be
// known, the record holds none: who was accepted is accepted again.
func (t *talk) auth(ctx context.Context, arg string) bool {
	word, initial, given := strings.Cut(arg, " ")
	mechanism := strings.ToUpper(word)
	said := &signIn{mechanism: mechanism}
	if given {
		said.hear(initial)
	}
	likely := t.likely(mechanism)
	if likely == nil {
		return t.unknownMechanism(word)
	}
	if !likely.atOnce() {
		ok, cancelled := t.challenge(ctx, said, likely)
		switch {
		case cancelled && ok:
			return t.write("501 5.7.0 Cancelled") == nil
		case !ok:
			return false
		}
	}
	return t.verdictOn(ctx, said)
}

// likely is the exchange of a mechanism that tells how it goes on; of others
// where the recordings show none of it.
func (t *talk) likely(mechanism string) *answer {
	q := t.at.moment("AUTH", "")
	var best *exchange
	for _, x := range t.stage.model.exchanges["AUTH"] {
		of, _, _ := strings.Cut(x.arg, " ")
		switch {
		case of != mechanism:
		case best == nil || distance(x, q) < distance(best, q):
			best = x
		}
	}
	if best != nil {
		return best.nth(t.said[best])
	}
	if x := t.stage.model.usual(q); x != nil && t.offered(mechanism) {
		other := *x.final()
		other.challenges, other.initial = nil, !x.final().atOnce()
		return &other
	}
	return nil
}

// atOnce reports whether the smarthost refused before it heard any secret.
func (a *answer) atOnce() bool { return !a.initial && len(a.challenges) == 0 }

// offered reports whether an EHLO reply lists the mechanism. AUTH= is what
// servers wrote before RFC 2554.
func (t *talk) offered(mechanism string) bool {
	for _, x := range t.stage.model.exchanges["EHLO"] {
		for _, act := range x.final().acts {
			for line := range strings.SplitSeq(strings.ToUpper(act.text), "\n") {
				words := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '-' || c == '=' })
				if len(words) > 2 && words[1] == "AUTH" && strings.Contains(line+" ", " "+mechanism+" ") {
					return true
				}
			}
		}
	}
	return false
}

// unknownMechanism answers a word that may be no mechanism, but a secret in the
// wrong place: these are of both cases.
func (t *talk) unknownMechanism(word string) bool {
	mechanism := strings.ToUpper(word)
	reply := "504 5.5.4 Unrecognized authentication type"
	if t.offered(mechanism) {
		t.at.authed = true
		reply = "235 2.7.0 Accepted"
	}
	if !t.offered(mechanism) && (!isMechanism(mechanism) || word != mechanism && word != strings.ToLower(word)) {
		mechanism = "a mechanism whose name is none"
	}
	t.deviate(fmt.Sprintf("AUTH %s was not recorded: answered %s", mechanism, reply[:3]))
	return t.write(reply) == nil
}

// isMechanism reports whether s can be the name of a mechanism (RFC 4422, section 3.1).
func isMechanism(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// signIn is what an app has said of an exchange. It holds no secret.
type signIn struct {
	mechanism string
	heard     int
	user      string
}

// hear reads one answer of the app, of which only the user's name is kept.
func (s *signIn) hear(line string) {
	s.heard++
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	if err != nil || s.heard > 1 {
		return
	}
	words := string(text)
	defer func() { s.user = nameAlone(s.user) }()
	switch s.mechanism {
	case "PLAIN":
		if parts := strings.Split(words, "\x00"); len(parts) == 3 {
			s.user = parts[1]
		}
	case "LOGIN":
		s.user = words
	case "CRAM-MD5":
		if i := strings.LastIndexByte(words, ' '); i >= 0 && len(words)-i-1 == 2*md5.Size {
			s.user = words[:i]
		}
	case "XOAUTH2":
		if user, rest, ok := strings.Cut(words, "\x01"); ok && strings.HasPrefix(rest, "auth=") {
			s.user = strings.TrimPrefix(user, "user=")
		}
	case "OAUTHBEARER":
		_, rest, _ := strings.Cut(words, "a=")
		s.user, _, _ = strings.Cut(rest, ",")
	}
}

// nameAlone drops what can be no name: an app that answers one mechanism in the
// way of another has its secret there.
func nameAlone(user string) string {
	const most = 320 // octets of an address (RFC 3696, erratum 1690)
	if len(user) > most || strings.ContainsFunc(user, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return ""
	}
	return user
}

// wants is how many answers a mechanism takes from the app, at least.
func (s *signIn) wants() int {
	if s.mechanism == "LOGIN" {
		return 2
	}
	return 1
}

// challenge asks for what is still missing. Where the recorded app said more
// at once than this one, or less, the challenges that go with it are made up
// or left out.
func (t *talk) challenge(ctx context.Context, said *signIn, a *answer) (ok, cancelled bool) {
	left := a.challenges
	if a.initial == (said.heard == 0) && len(left) >= said.wants() && !a.initial {
		left = left[min(said.heard, len(left)):]
	}
	for said.heard < said.wants() || len(left) > 0 {
		next := act{text: prompt(said)}
		if len(left) > 0 && !(a.initial && said.heard == 0) {
			next, left = left[0], left[1:]
		}
		if !t.wait(ctx, next.wait) || t.write(next.text) != nil {
			return false, false
		}
		line, err := t.line()
		if err != nil {
			return false, false
		}
		text := string(wire.TrimCRLF(line))
		if text == "*" {
			return true, true
		}
		said.hear(text)
	}
	return true, false
}

// prompt is the challenge that a mechanism has for everybody.
func prompt(said *signIn) string {
	switch {
	case said.mechanism == "LOGIN" && said.heard == 0:
		return "334 VXNlcm5hbWU6"
	case said.mechanism == "LOGIN":
		return "334 UGFzc3dvcmQ6"
	case said.mechanism == "CRAM-MD5":
		return "334 PDEuMUBzbXRwLXByb3h5Pg=="
	}
	return "334 "
}

// verdictOn gives the reply that ends the exchange.
func (t *talk) verdictOn(ctx context.Context, said *signIn) bool {
	q := t.at.moment("AUTH", "")
	q.arg = authArgument(said.mechanism, said.user)
	x, same := t.stage.model.find(q)
	if x == nil {
		return t.unknownMechanism(said.mechanism)
	}
	a := x.final()
	if same {
		t.compareStanding(x, q)
		a = x.nth(t.said[x])
		t.said[x]++
	} else {
		t.deviate(fmt.Sprintf("AUTH %s as %q was not recorded: %s as most others", said.mechanism, said.user, a.said()))
	}
	t.at.advance(q, a.code)
	if a.code/100 == 2 {
		t.user = said.user
	}
	return t.perform(ctx, a)
}
