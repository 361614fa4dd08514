package probe_test

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/probe"
)

// TestToldTime has the forms in which MTAs tell the time.
func TestToldTime(t *testing.T) {
	const want = "2023-06-01T01:06:52Z"
	for _, text := range []string{
		"220 mail.example.com ESMTP Exim 4.96 Thu, 01 Jun 2023 01:06:52 +0000",
		"220 mail.example.com ESMTP Sendmail 8.17.1/8.17.1; Thu, 1 Jun 2023 03:06:52 +0200",
		"220 mail.example.com ESMTP Sendmail 8.15.2/8.15.2; Wed, 31 May 2023 18:06:52 -0700 (PDT)",
		"220 mail.example.com ESMTP Sendmail 8.12.11; Thu, 1 Jun 2023 01:06:52 GMT",
		"220 EXCH.example.local Microsoft ESMTP MAIL Service ready at Thu, 1 Jun 2023 10:06:52 +0900",
		"220 WIN Microsoft ESMTP MAIL Service, Version: 10.0.14393.4169 ready at  Thu, 1 Jun 2023 01:06:52 +0000",
		"220 AM0PR01.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Thu, 1 Jun 2023 01:06:52 +0000 [08DB62]",
		"220 mail.example.com ESMTP Service (Lotus Domino Release 8.5.3) ready at Thu, 1 Jun 2023 01:06:52 +0000",
		"220 mail.example.com ESMTP MDaemon 22.0.2; Thu, 01 Jun 2023 03:06:52 +0200",
		"220-mail.example.com ESMTP Exim 4.96 #2 Thu, 01 Jun 2023 01:06:52 +0000 \n220-We do not authorize the use of this system",
		"220 mail.example.com ready 1-Jun-2023 01:06:52 +0000",
		"220 mail.example.com Thu Jun  1 01:06:52 GMT 2023",
		"220 mail.example.com 2023-06-01T01:06:52Z",
		"220 mail.example.com 2023-06-01 03:06:52+02:00",
		"535 5.7.139 Authentication unsuccessful [AM0PR01CA0001.eurprd01.prod.outlook.com 2023-06-01T01:06:52.123Z 08DB61F]",
	} {
		got, ok := probe.ToldTime(text)
		if !ok || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: got %v %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"220 mail.example.com ESMTP Postfix",
		"220 mail.example.com ESMTP Thu, 1 Jun 2023 01:06:52 CEST",
		"220 mail.example.com ESMTP Thu, 1 Jun 2023 01:06:52",
		"220 mail.example.com ESMTP 99 Jun 2023 01:06:52 +0000",
		"220 mail.example.com ESMTP 1 Foo 2023 01:06:52 +0000",
		"220 mx.google.com ESMTP 5b1f17b1804b1-3f7 - gsmtp",
		"",
	} {
		if got, ok := probe.ToldTime(text); ok {
			t.Errorf("%q: got %v, want no time", text, got)
		}
	}
}

// FuzzToldTime promises that a time which is read stands there: its minute and
// second do.
func FuzzToldTime(f *testing.F) {
	for _, text := range []string{"Thu, 1 Jun 2023 01:06:52 +0000", "1 Jan 2020 00:00:00 GMT", "Thu Jun  1 01:06:52 UTC 2023", "2023-06-01T01:06:52.1+05:30"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at, ok := probe.ToldTime(text); ok && !strings.Contains(text, at.Format(":04:05")) {
			t.Errorf("%q: got %s, which does not stand there", text, at)
		}
	})
}

// said is a session in which the smarthost says something.
func said(kind session.Kind, verb string, code int, text string, at time.Time) session.Entry {
	return session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: kind, Verb: verb, Code: code, Text: text, At: at}
}

// shown is a handshake with certificates that begin and end at these times.
func shown(at time.Time, dates ...time.Time) session.Entry {
	e := session.Entry{Leg: session.Upstream, Kind: session.KindTLS, At: at, TLS: &session.TLS{}}
	for i := 0; i < len(dates); i += 2 {
		e.TLS.Chain = append(e.TLS.Chain, session.Certificate{NotBefore: dates[i], NotAfter: dates[i+1]})
	}
	return e
}

func TestClockStep(t *testing.T) {
	now := time.Date(2023, 6, 1, 1, 6, 52, 0, time.UTC)
	greets := func(skew time.Duration) session.Entry {
		theirs := now.Add(-skew)
		return said(session.KindGreeting, "", 220, "220 mail.example.com ESMTP Exim 4.96 "+theirs.Format(time.RFC1123Z), now)
	}
	const day = 24 * time.Hour
	plain := said(session.KindGreeting, "", 220, "220 mail.example.com ESMTP Postfix", now)
	good := shown(now, now.Add(-day), now.Add(day), now.Add(-100*day), now.Add(100*day))
	early := shown(now, now.Add(day), now.Add(50*day), now.Add(2*day), now.Add(900*day))
	late := shown(now, now.Add(-50*day), now.Add(-day), now.Add(-900*day), now.Add(-2*day))
	for _, test := range []struct {
		name     string
		dialogue []session.Entry
		want     string
		result   string
	}{
		{"agrees", []session.Entry{greets(2 * time.Second)}, "ok this machine's clock agrees with the smarthost's: 01:06:50 UTC in its greeting, 01:06:52 UTC here", "ok"},
		{"under five minutes", []session.Entry{greets(-299 * time.Second)}, "ok ", "ok"},
		{"ahead", []session.Entry{greets(5 * time.Minute)}, "warn this machine's clock is 5 minutes ahead of the smarthost's…set the one that is wrong", "fail tls.clock-skew"},
		{"behind", []session.Entry{greets(-3*time.Hour - 20*time.Minute)}, "warn this machine's clock is 3h20m behind the smarthost's", "fail tls.clock-skew"},
		{"a zone", []session.Entry{greets(2*time.Hour + time.Second)}, "warn this machine's clock is 2h0m ahead of the smarthost's…whole hours are a time zone", "fail tls.clock-skew"},
		{"days", []session.Entry{greets(-400 * day)}, "warn this machine's clock is 400 days behind…set the one", "fail tls.clock-skew"},
		{"and the certificates agree", []session.Entry{greets(-3 * day), early}, "warn …3 days behind…in date only by the other clock: set this one", "fail tls.clock-skew"},
		{"tells nothing", []session.Entry{plain, good}, "skip not known: the smarthost does not tell the time", "skip"},
		{"before its certificates", []session.Entry{plain, early}, "warn this machine's clock, at 2023-06-01 01:06:52 UTC, seems to be behind: each of the smarthost's 2 certificates begins later, the last one at 2023-06-03", "fail tls.clock-skew"},
		{"after its certificates", []session.Entry{plain, late}, "warn …seems to be ahead: each of the smarthost's 2 certificates has ended, the first one at 2023-05-30", "fail tls.clock-skew"},
		{"a leaf that is over", []session.Entry{plain, shown(now, now.Add(-50*day), now.Add(-day), now.Add(-100*day), now.Add(100*day))}, "skip ", "skip"},
		{"one certificate", []session.Entry{plain, shown(now, now.Add(day), now.Add(50*day))}, "skip ", "skip"},
		{"in a reply to EHLO", []session.Entry{plain, said(session.KindReply, "EHLO", 250, "250-mail Thu, 1 Jun 2023 01:06:52 +0000", now)}, "ok …in its reply to EHLO", "ok"},
		{"of Exchange Online", []session.Entry{plain, said(session.KindReply, "AUTH", 535, "535 5.7.139 [AM0PR.eurprd01.prod.outlook.com 2023-06-01T01:06:52.123Z 08DB]", now)}, "ok …in its reply to AUTH", "ok"},
		{"of something else", []session.Entry{plain, said(session.KindReply, "RCPT", 550, "550 listed since Thu, 1 Jun 2020 01:06:52 +0000", now)}, "skip ", "skip"},
		{"a refusal", []session.Entry{said(session.KindGreeting, "", 554, "554 closed since Thu, 1 Jun 2020 01:06:52 +0000", now)}, "skip ", "skip"},
		{"nothing", nil, "skip not known: the smarthost has not said anything", "skip"},
	} {
		lines, answer := newWorld(t, settings{}).takes(t, "clock", probe.Known{Dialogue: test.dialogue}, "")
		expect(t, test.name, lines, test.want)
		if got := strings.TrimSpace(answer.Probe.Result + " " + answer.Probe.Cause); got != test.result {
			t.Errorf("%s: answer %q, want %q", test.name, got, test.result)
		}
	}
}
