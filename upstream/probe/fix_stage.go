package probe

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// stage is how far a session came.
type stage int

// The stages, each named after what is well.
const (
	stageNone stage = iota
	stageDNS
	stageConnect
	stageGreeting
	stageEHLO
	stageSTARTTLS
	stageTLS
	stageCertificate
	stageOffered
	stageAuth
	stageMail
)

func (s stage) String() string {
	return [...]string{
		"", nameDNS, partConnect, partGreeting, partEHLO, partSTARTTLS, partTLS, partCertificate,
		"auth-offered", partAuth, partMail,
	}[s]
}

// read finds out from the entries how far the session came, and in what way.
func (o *outcome) read() {
	greeted := false
	o.target.Mode = upstream.ModeNone
	for i := range o.entries {
		e := &o.entries[i]
		switch {
		case e.Lookup != nil && len(e.Lookup.Answers) > 0, e.Dial != nil:
			o.reach(stageDNS)
			if e.Kind == session.KindOpen {
				o.reach(stageConnect)
			}
		case e.Leg != session.Upstream:
		case e.Kind == session.KindTLS:
			o.shook(e, greeted)
		case e.From == session.FromUpstream && (e.Kind == session.KindGreeting || e.Kind == session.KindReply):
			greeted = greeted || e.Code == 220
			o.replied(e)
		}
	}
	if len(o.offered) > 0 && !o.onTheWay() { // an offer in clear is none where TLS was to come
		o.reach(stageOffered)
	}
	if o.target.Mode == upstream.ModeNone && o.failedAt(partConnect, partGreeting, partEHLO, partSTARTTLS) {
		o.target.Mode = o.began.target.Mode // nothing was found out
	}
}

func (o *outcome) reach(s stage) { o.stage = max(o.stage, s) }

func (o *outcome) shook(e *session.Entry, greeted bool) {
	switch {
	case e.Fault == nil:
		o.reach(stageCertificate)
		o.secure, o.offered = true, nil // RFC 3207, section 4.2: what was said in clear is forgotten
	case e.Fault.Class == session.FaultCertificate:
		o.reach(stageTLS)
	case e.Fault.Class == session.FaultNotTLS:
		return
	}
	o.target.Mode = upstream.ModeSTARTTLS
	if !greeted {
		o.target.Mode = upstream.ModeImplicit
	}
}

func (o *outcome) replied(e *session.Entry) {
	if e.Code >= 400 {
		o.code = e.Code
	}
	switch {
	case e.Kind == session.KindGreeting && e.Code == 220:
		o.reach(stageGreeting)
	case e.Code == 250 && (e.Verb == "EHLO" || e.Verb == "HELO"):
		o.reach(stageEHLO)
		o.offered = offeredIn(e.Text)
	case e.Code == 220 && e.Verb == "STARTTLS":
		o.reach(stageSTARTTLS)
	case e.Code == 235:
		o.reach(stageAuth)
	case e.Code == 250 && e.Verb == "MAIL":
		o.reach(stageMail)
	}
}

// offeredIn lists the mechanisms that the text of a reply to EHLO offers.
func offeredIn(text string) []string {
	reply, _ := wire.ParseReply(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
	return upstream.Mechanisms(reply)
}

// handshake returns the facts of the last handshake, or nil.
func (o *outcome) handshake() *session.Entry {
	for i := range slices.Backward(o.entries) {
		if e := &o.entries[i]; e.Kind == session.KindTLS && e.Leg == session.Upstream {
			return e
		}
	}
	return nil
}
