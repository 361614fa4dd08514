package anonymize_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/anonymize"
	"smtp-proxy/proxy/session"
)

// planted is who must not be found, in the forms in which they are met.
var planted = []string{
	"wilhelmina.plantagenet@planted-corp.com", "Wilhelmina.Plantagenet@PLANTED-CORP.com", `"Wilhelmina Plantagenet"@planted-corp.com`,
	"<bounce-wilhelmina=planted-corp.com@lists.planted-corp.com>", "rfc822;wilhelmina+2Bplantagenet@planted-corp.com",
	"build-77.hq.planted-corp.com", "build-77.hq.planted-corp.lan", "10.77.66.55", "[10.77.66.55]:2525", "2a02:7755::77", "[IPv6:2a02:7755::77]",
	"55.66.77.10.zen.spamhaus.org", "Wilhelmina Plantagenet", "=?utf-8?Q?Wilhelmina_Plantagenet?=", "WILHELMINA", "wilhelminä@plantägenet.de",
	"https://planted-corp.com/~plantagenet?e=wilhelmina%40planted-corp.com", "CN=mail.planted-corp.com,O=Plantagenet Holdings,L=Plantagenet",
	"<20261120.77@build-77.planted-corp.com>", "Severance of Wilhelmina Plantagenet",
}

// needles are what is looked for, in lower case.
var needles = []string{"wilhelmin", "lantagenet", "lantägenet", "planted", "build-77", "10.77.66.55", "55.66.77.10", "2a02:7755"}

// forms are the ways in which a text is written.
func forms(text string) []string {
	return []string{
		text, base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
		hex.EncodeToString([]byte(text)), url.QueryEscape(text), url.PathEscape(text), strings.ReplaceAll(text, "@", "+40"), strings.ReplaceAll(text, "@", "=40"),
	}
}

// whole is a session with something in each field.
func whole() *inspect.Session {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	cert := session.Certificate{Subject: "s", Issuer: "i", Names: []string{"n"}, Serial: "00", AIA: []string{"a"}}
	handshake := &session.TLS{Version: "TLS 1.3", ServerName: "n", Error: "e", Chain: []session.Certificate{cert}, Path: []session.Certificate{cert}, Repaired: []session.Certificate{cert},
		RootHint: "r", Interceptor: "i", ALPN: "a", Hello: &session.Hello{SNI: "s", ALPN: []string{"a"}}, Sent: [][]byte{[]byte("x")}, Staple: []byte("x")}
	entry := func(kind session.Kind, from session.Origin, verb string) session.Entry {
		return session.Entry{Kind: kind, From: from, Verb: verb, Text: "t", At: at, Code: 550, Enhanced: "5.1.1"}
	}
	s := &inspect.Session{
		ID: "01JD8Z6T9RWQ4V8C0M3K5N7P2S", Started: at, Ended: at.Add(time.Second), Route: "r", Outcome: inspect.Rejected,
		App: inspect.AppLeg{Addr: "a", Helo: "h", TLS: handshake}, Upstream: inspect.UpstreamLeg{Name: "smtp.gmail.com:587", Addr: "a", Provider: "gmail", TLS: handshake},
		Auth:     &inspect.Auth{Auth: session.Auth{Mechanism: "PLAIN", Username: "u", Authzid: "z", Malformed: "m", Secret: &session.Secret{Length: 3}}},
		Messages: []inspect.Message{{From: "f", Subject: "s", MessageID: "m", Text: "t", Code: 550, To: []inspect.Recipient{{Addr: "a", Text: "t", Code: 550, Enhanced: "5.1.1"}}}},
		Edits:    []string{"e"}, Codes: []string{"550 5.1.1"}, Direct: &inspect.Direct{Text: "t", Setting: "s"},
		Findings: []inspect.Finding{{Cause: "recipient.unknown", Title: "t", Explanation: "e", Evidence: []inspect.Evidence{{Event: 1, Text: "t"}}, RuledOut: []string{"r"}, Fix: []string{"f"},
			Retry: inspect.Retry{Advice: "never", Text: "t"}, Changed: []string{"c"}, Refs: []string{"https://example.com/"}}},
	}
	for _, k := range []session.Kind{session.KindOpen, session.KindGreeting, session.KindCommand, session.KindReply, session.KindAuth, session.KindTLS, session.KindClose, session.KindError, session.KindProbe, session.KindNote} {
		for _, from := range []session.Origin{session.FromApp, session.FromUpstream, session.FromProxy} {
			s.Events = append(s.Events, entry(k, from, "RCPT"))
		}
	}
	e := &s.Events[0]
	e.Lookup = &session.Lookup{Name: "n", Type: "A", Server: "s", CNAME: []string{"c"}, Answers: []string{"a"}}
	e.Dial, e.TLS, e.Auth = &session.Dial{Host: "h", Addr: "a", Local: "l"}, handshake, &session.Auth{Username: "u", Authzid: "z", Mechanism: "PLAIN"}
	e.Fault = &session.Fault{Op: "dial", Text: "t", First: []byte("f")}
	e.Probe = &session.Probe{Name: "ports", Target: "t", Result: "ok", Setting: "s", Found: []session.Found{{What: "w", Result: "ok", Text: "t"}}}
	return s
}

// fixed are the places that hold words of this program, or facts without a
// name; the upstream's name stays.
var fixed = regexp.MustCompile(`^(Session\.(ID|Linked|Codes)|UpstreamLeg\.(Name|Provider)|Message\.(Enhanced|Captured)|Recipient\.Enhanced|Finding\.(Cause|Side|Refs|Rule)|Retry\.Advice|Direct\.Cause|` +
	`Entry\.Enhanced|Lookup\.(Type|Rcode)|Dial\.Family|Fault\.(Op|Errno)|TLS\.(Version|Cipher|Group|Stapled)|Flight\.From|Hello\.(Versions|Ciphers|Groups|Signatures|JA4)|TCP\.State|` +
	`Probe\.(Name|Result|Cause)|Found\.Result|Secret\..*|Certificate\.(Key|Signature))$`)

// fill puts a text into each place that may hold a peer's words.
func fill(v reflect.Value, place, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), place, text)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name, text)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			v.SetBytes([]byte(text))
			return
		}
		for i := range v.Len() {
			fill(v.Index(i), place, text)
		}
	case reflect.String:
		if v.Type().Name() == "string" && !fixed.MatchString(place) {
			v.SetString(text)
		}
	}
}

// TestSessionPlanted looks for each planted value, in each of its forms, in
// all that an export writes of a session.
func TestSessionPlanted(t *testing.T) {
	for _, value := range planted {
		all := forms(value)
		for _, form := range []string{all[0], strings.Join(all[1:], " ")} {
			for _, text := range []string{form, "RCPT TO:<" + form + ">: refused, ORCPT=" + form} {
				s := whole()
				// Who it is stands in the record in clear, too.
				s.Messages = append(s.Messages, inspect.Message{})
				fill(reflect.ValueOf(s).Elem(), "", text)
				s.Messages[1].From = "wilhelmina.plantagenet@planted-corp.com"
				s.Messages[1].To = []inspect.Recipient{{Addr: "wilhelminä.plantägenet@build-77.planted-corp.lan"}}
				wantNone(t, text, anonymize.New().Session(s))
			}
		}
	}
}

func wantNone(t *testing.T, planted string, s *inspect.Session) {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Events {
		if f := s.Events[i].Fault; f != nil {
			raw = append(raw, f.First...)
		}
	}
	all := strings.ToLower(string(raw) + undone(string(raw)))
	for _, n := range needles {
		if at := strings.Index(all, n); at >= 0 {
			t.Fatalf("%q: %s is still there: …%s…", planted, n, all[max(0, at-60):min(len(all), at+60)])
		}
	}
}

var encoded = regexp.MustCompile(`[A-Za-z0-9+/_\-]{8,}`)

// undone is what is written in a text in other forms.
func undone(text string) string {
	var b strings.Builder
	for _, w := range encoded.FindAllString(text, -1) {
		for _, code := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			raw, _ := code.DecodeString(w)
			b.Write(raw)
		}
		raw, _ := hex.DecodeString(w)
		b.Write(raw)
	}
	if plain, err := url.PathUnescape(text); err == nil {
		b.WriteString(plain)
	}
	return b.String()
}

// TestSessionStays wants facts and structure as they were.
func TestSessionStays(t *testing.T) {
	s := whole()
	got := anonymize.New().Session(s)
	if got == s || len(got.Events) != len(s.Events) || got.ID != s.ID || got.Upstream.Name != "smtp.gmail.com:587" || got.Messages[0].Code != 550 {
		t.Errorf("got %+v, want the facts of %+v in a copy", got, s)
	}
	for i := range got.Events {
		g, w := got.Events[i], s.Events[i]
		if g.Code != w.Code || g.Enhanced != w.Enhanced || g.Kind != w.Kind || g.Verb != w.Verb || !g.At.Equal(w.At) || g.Seq != w.Seq {
			t.Errorf("line %d: got %+v, want the facts of %+v", i, g, w)
		}
	}
	for _, text := range []string{
		"220 smtp.gmail.com ESMTP 5b1f17b1804b1-ffacsm - gsmtp", "550-5.1.1 The email account that you tried to reach does not exist. Please try",
		"250-SIZE 35882577\n250-8BITMIME\n250-AUTH LOGIN PLAIN XOAUTH2\n250 CHUNKING", "421 4.7.0 TLS 1.3 at 12:34:56, port 587, 127.0.0.1:25 and ::1",
		"554 5.7.1 see https://support.google.com/mail/?p=NoSuchUser or https://www.spamhaus.org/lookup", "user@gmial.com", "postmaster@gmail.com", "apikey",
		"connect: connection refused", "see main.cf, /etc/aliases and ca.pem", "250 2.0.0 Ok: queued as 4XqVq10qZz",
	} {
		s := whole()
		s.Events[10].Text = text
		if local, domain, ok := strings.Cut(text, "@"); ok && local == "user" {
			s.Events[10].Text, text = domain, domain
		}
		if got := anonymize.New().Session(s).Events[10].Text; got != text {
			t.Errorf("got %q, want %q: nobody is named in it", got, text)
		}
	}
}

// TestSessionConsistent wants what was equal to stay so, and nothing else to
// become so.
func TestSessionConsistent(t *testing.T) {
	s := whole()
	s.App.Helo, s.Messages[0].From = "app.planted-corp.com", "Ann@planted-corp.com"
	s.Messages[0].To = nil
	for _, to := range []string{"ann@planted-corp.com", "a@planted-corp.com", "b@planted-corp.com", "ann@other-corp.com"} {
		s.Messages[0].To = append(s.Messages[0].To, inspect.Recipient{Addr: to})
	}
	s.Findings[0].Title = "ann@planted-corp.com has no mailbox at mx.planted-corp.com [10.0.0.1]"
	s.Events[10].Text = "550 <ANN@planted-corp.com> unknown at mx.planted-corp.com [10.0.0.1]"
	got := anonymize.New().Session(s)
	var to []string
	for _, r := range got.Messages[0].To {
		to = append(to, r.Addr)
	}
	local, domain, _ := strings.Cut(to[0], "@")
	if !strings.EqualFold(got.Messages[0].From, to[0]) || got.Messages[0].From[0] >= 'a' {
		t.Errorf("Ann is %s and %s, want one stand-in but for its capital", got.Messages[0].From, to[0])
	}
	if !strings.HasSuffix(to[1], "@"+domain) || !strings.HasPrefix(to[3], local+"@") || strings.HasSuffix(to[3], domain) || !strings.HasSuffix(got.App.Helo, "."+domain) {
		t.Errorf("got %q for four recipients and %s for the app: equal parts are not equal", to, got.App.Helo)
	}
	if slices.Sort(to); len(slices.Compact(to)) != 4 {
		t.Errorf("got %q: two recipients share a stand-in", to)
	}
	for _, text := range []string{got.Findings[0].Title, strings.ToLower(got.Events[10].Text)} {
		if !strings.Contains(text, local+"@"+domain) || !strings.Contains(text, "mx."+domain) || !regexp.MustCompile(`\[(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+\]`).MatchString(text) {
			t.Errorf("%q names the address, the host or the IP in another way than %s@%s", text, local, domain)
		}
	}
}

// TestSessionUpstream keeps the smarthost's name unless it is the sender's own.
func TestSessionUpstream(t *testing.T) {
	for name, stays := range map[string]bool{"mail.hoster.net:587": true, "mail.planted-corp.com:587": false, "smtp.example.com:25": true, "sandbox:1": true, "10.1.2.3:25": false} {
		s := whole()
		s.Upstream.Name, s.Messages[0].From = name, "a@planted-corp.com"
		s.Events[1].Text = "220 " + strings.Split(name, ":")[0] + " ESMTP"
		got := anonymize.New().Session(s)
		if (got.Upstream.Name == name) != stays || strings.Contains(got.Events[1].Text, strings.Split(name, ":")[0]) != stays {
			t.Errorf("%s: got %s and %q, want it to stay: %v", name, got.Upstream.Name, got.Events[1].Text, stays)
		}
		if got.Upstream.Name[strings.LastIndexByte(got.Upstream.Name, ':'):] != name[strings.LastIndexByte(name, ':'):] {
			t.Errorf("%s: got %s, want the port as it was", name, got.Upstream.Name)
		}
	}
}

// FuzzSession holds what a reply is known by for any text: its code, its
// enhanced code, and how many lines it has.
func FuzzSession(f *testing.F) {
	for _, p := range planted[:4] {
		f.Add("550-5.1.1 " + p + "\n550 5.1.1 no")
	}
	code := regexp.MustCompile(`(?m)^\d{3}[ -](\d\.\d{1,3}\.\d{1,3} )?`)
	f.Fuzz(func(t *testing.T, text string) {
		s := whole()
		for i := range s.Events {
			s.Events[i].Text = text
		}
		s.Messages[0].From, s.App.Helo = text, text
		for i, e := range anonymize.New().Session(s).Events {
			if strings.Count(e.Text, "\n") != strings.Count(text, "\n") {
				t.Fatalf("line %d: got %q, want as many lines as in %q", i, e.Text, text)
			}
			if e.Kind != session.KindReply {
				continue
			}
			if got, want := code.FindAllString(e.Text, -1), code.FindAllString(text, -1); !slices.Equal(got, want) {
				t.Fatalf("got the codes %q in %q, want %q", got, e.Text, want)
			}
		}
	})
}
