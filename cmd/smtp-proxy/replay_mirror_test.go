package main

import (
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

func TestMirror(t *testing.T) {
	up := func(e session.Entry) session.Entry {
		e.Leg, e.From = session.Upstream, session.FromUpstream
		return e
	}
	app := func(from session.Origin, e session.Entry) session.Entry {
		e.Leg, e.From = session.App, from
		return e
	}
	greeting := up(session.Entry{Kind: session.KindGreeting, Code: 220})
	offer := up(session.Entry{Kind: session.KindReply, Verb: "EHLO", Code: 250, Text: "250-mx\n250-starttls\n250 SIZE"})
	own := func(e session.Entry) session.Entry {
		e.Own = true
		return e
	}
	plain := up(session.Entry{Kind: session.KindReply, Verb: "EHLO", Code: 250, Text: "250-STARTTLS.example\n250 SIZE"})
	upgrade := session.Entry{Leg: session.Upstream, From: session.FromProxy, Own: true, Kind: session.KindCommand, Verb: "STARTTLS"}
	secured, failed := up(session.Entry{Kind: session.KindTLS, Secure: true}), up(session.Entry{Kind: session.KindTLS})
	ehlo := app(session.FromApp, session.Entry{Kind: session.KindCommand, Verb: "EHLO"})
	added, removed := app(session.FromProxy, session.Entry{Kind: session.KindNote, Text: "added STARTTLS to the EHLO reply: it is for the app's leg"}), app(session.FromProxy, session.Entry{Kind: session.KindNote, Text: "removed STARTTLS from the EHLO reply: the app's leg has none"})
	mail := app(session.FromApp, session.Entry{Kind: session.KindCommand, Verb: "MAIL"})
	ambiguous := app(session.FromProxy, session.Entry{Kind: session.KindNote, Odd: session.OddSmuggling})
	for name, test := range map[string]struct {
		entries []session.Entry
		want    mirror
	}{
		"nothing":                 {nil, mirror{mode: upstream.ModeAuto}},
		"clear":                   {[]session.Entry{greeting, ehlo, plain}, mirror{mode: upstream.ModeAuto}},
		"clear, though offered":   {[]session.Entry{greeting, ehlo, offer, removed, mail}, mirror{mode: upstream.ModeNone}},
		"clear on both, offered":  {[]session.Entry{greeting, ehlo, offer, mail}, mirror{mode: upstream.ModeNone, app: session.AppOffer}},
		"offered as the last":     {[]session.Entry{greeting, ehlo, offer}, mirror{mode: upstream.ModeNone, app: session.AppOffer}},
		"app makes no use of it":  {[]session.Entry{greeting, ehlo, plain, added, mail}, mirror{mode: upstream.ModeAuto, app: session.AppOffer}},
		"upgraded":                {[]session.Entry{greeting, ehlo, own(offer), upgrade, secured, plain}, mirror{mode: upstream.ModeSTARTTLS}},
		"upgrade failed":          {[]session.Entry{greeting, ehlo, own(offer), upgrade, failed}, mirror{mode: upstream.ModeAuto}},
		"upgrade refused":         {[]session.Entry{greeting, ehlo, own(offer), upgrade, up(session.Entry{Odd: session.OddTLSRefused})}, mirror{mode: upstream.ModeAuto}},
		"demanded in vain":        {[]session.Entry{greeting, ehlo, plain, up(session.Entry{Kind: session.KindNote, Odd: session.OddNotOffered})}, mirror{mode: upstream.ModeSTARTTLS}},
		"implicit":                {[]session.Entry{secured, greeting, ehlo, plain}, mirror{mode: upstream.ModeImplicit}},
		"implicit failed":         {[]session.Entry{failed}, mirror{mode: upstream.ModeImplicit}},
		"app implicit":            {[]session.Entry{app(session.FromApp, session.Entry{Kind: session.KindTLS}), greeting, ehlo}, mirror{mode: upstream.ModeAuto, app: session.AppImplicit}},
		"app upgrades":            {[]session.Entry{greeting, ehlo, app(session.FromProxy, session.Entry{Kind: session.KindReply, Verb: "STARTTLS", Code: 220})}, mirror{mode: upstream.ModeAuto, app: session.AppOffer}},
		"app was refused that":    {[]session.Entry{greeting, ehlo, app(session.FromProxy, session.Entry{Kind: session.KindReply, Verb: "STARTTLS", Code: 502})}, mirror{mode: upstream.ModeAuto}},
		"app must upgrade":        {[]session.Entry{greeting, ehlo, app(session.FromProxy, session.Entry{Kind: session.KindReply, Verb: "MAIL", Code: 530})}, mirror{mode: upstream.ModeAuto, app: session.AppRequire}},
		"smarthost wants sign-in": {[]session.Entry{greeting, ehlo, up(session.Entry{Kind: session.KindReply, Verb: "MAIL", Code: 530})}, mirror{mode: upstream.ModeAuto}},
		"ambiguous end passed":    {[]session.Entry{greeting, ehlo, ambiguous}, mirror{mode: upstream.ModeAuto, smuggling: true}},
		"ambiguous end refused":   {[]session.Entry{greeting, ehlo, ambiguous, app(session.FromProxy, session.Entry{Kind: session.KindReply, Code: 554})}, mirror{mode: upstream.ModeAuto}},
	} {
		if got := mirrorOf(test.entries); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}
