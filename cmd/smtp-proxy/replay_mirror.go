package main

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// mirror is how a recorded session was relayed, as far as its entries show:
// the relay that plays it again is set up in the same way.
type mirror struct {
	mode      upstream.Mode
	app       session.AppTLS
	smuggling bool // an ambiguous end of data passed
}

// mirrorOf reads a history.
func mirrorOf(entries []session.Entry) mirror {
	return mirror{mode: modeOf(entries), app: appTLSOf(entries), smuggling: passedSmuggling(entries)}
}

// modeOf tells how the upstream leg was secured. TLS that came about is
// demanded again: what was said under it is not to be said in clear.
func modeOf(entries []session.Entry) upstream.Mode {
	greeted, offered := false, false
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Leg != session.Upstream:
		case e.Odd == session.OddNotOffered:
			return upstream.ModeSTARTTLS
		case e.Kind == session.KindGreeting:
			greeted = true
		case e.Kind == session.KindTLS && !greeted:
			return upstream.ModeImplicit
		case e.Kind == session.KindTLS && e.Secure:
			return upstream.ModeSTARTTLS
		case e.Kind == session.KindCommand && e.Verb == "STARTTLS", e.Odd == session.OddTLSRefused:
			return modeOfUpgrade(entries[i:])
		case e.Kind == session.KindReply && e.Verb == "EHLO" && e.Code == 250:
			offered = offered || offersSTARTTLS(e.Text)
		}
	}
	if offered { // auto would have used it
		return upstream.ModeNone
	}
	return upstream.ModeAuto
}

// modeOfUpgrade tells what an upgrade that the proxy began came to.
func modeOfUpgrade(rest []session.Entry) upstream.Mode {
	secured := func(e session.Entry) bool {
		return e.Leg == session.Upstream && e.Kind == session.KindTLS && e.Secure
	}
	if slices.ContainsFunc(rest, secured) {
		return upstream.ModeSTARTTLS
	}
	return upstream.ModeAuto
}

func appTLSOf(entries []session.Entry) session.AppTLS {
	began, offered := false, offeredToApp(entries)
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Leg != session.App:
		case e.Kind == session.KindReply && e.From == session.FromProxy && e.Code == 530:
			return session.AppRequire
		case e.Kind == session.KindTLS && !began:
			return session.AppImplicit
		case e.Kind == session.KindTLS, e.Kind == session.KindReply && e.Verb == "STARTTLS" && e.Code == 220:
			return session.AppOffer
		case e.From == session.FromApp && (e.Kind == session.KindCommand || e.Kind == session.KindAuth):
			began = true
		}
	}
	if offered { // and the app made no use of it
		return session.AppOffer
	}
	return session.AppNone
}

// offeredToApp reports an EHLO reply with STARTTLS that reached the app: the
// smarthost's own, unless the proxy took it out, or one that it was added to.
func offeredToApp(entries []session.Entry) bool {
	offered := false
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Kind == session.KindReply && e.Verb == "EHLO" && e.Code == 250 && !e.Own:
			offered = offersSTARTTLS(e.Text)
		case e.Kind == session.KindNote && strings.HasPrefix(e.Text, "added STARTTLS"):
			return true
		case e.Kind == session.KindNote && strings.HasPrefix(e.Text, "removed STARTTLS"):
			offered = false
		}
		if offered && (e.From == session.FromApp || i == len(entries)-1) {
			return true
		}
	}
	return false
}

// offersSTARTTLS reads an EHLO reply.
func offersSTARTTLS(reply string) bool {
	for line := range strings.SplitSeq(reply, "\n") {
		if len(line) > 4 && strings.EqualFold(strings.TrimSpace(line[4:]), "STARTTLS") {
			return true
		}
	}
	return false
}

// passedSmuggling reports an ambiguous end of data that was noted and not
// refused.
func passedSmuggling(entries []session.Entry) bool {
	passed := false
	for i := range entries {
		e := &entries[i]
		passed = passed || e.Odd == session.OddSmuggling
		if passed && e.From == session.FromProxy && e.Kind == session.KindReply && e.Code == 554 {
			return false
		}
	}
	return passed
}
