package web_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/web"
)

// knowing is a site with the rules and no record.
func knowing(t testing.TB) (web.Options, *rules.Set) {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return web.Options{Rules: set, Explainer: diagnose.New(set, diagnose.Options{})}, set
}

// sendForm sends a form.
func sendForm(t *testing.T, address string, form url.Values) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return answerTo(t, r)
}

func TestExplainPage(t *testing.T) {
	o, _ := knowing(t)
	address := served(t, o).URL + "/explain"
	for _, test := range []struct {
		name, text, upstream string
		want, not            []string
	}{
		{name: "a reply", text: "550 5.1.1 The email account that you tried to reach does not exist", want: []string{"recipient.unknown"}, not: []string{"Nothing known", "parts of the text"}},
		{name: "a reply of two lines is one", text: "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x9 - gsmtp", want: []string{"auth.app-password-required"}, not: []string{"parts of the text"}},
		{name: "lines joined by two characters", text: `534-5.7.9 Application-specific password required.\n534 5.7.9 x9 - gsmtp`, want: []string{"auth.app-password-required"}},
		{name: "the smarthost decides", text: "554 Message rejected: Email address is not verified.", upstream: "email-smtp.us-east-1.amazonaws.com:587", want: []string{"sender.not-verified", "us-east-1"}},
		{name: "a log: one card for each cause",
			text: "a: said: 550 5.1.1 <x@example.net>: User unknown\nall is well\nb: said: 550 5.1.1 <y@example.net>: User unknown\nc: said: 451 4.7.1 Greylisted, please try again in 300 seconds",
			want: []string{"recipient.unknown", "recipient.greylisted", "In lines 1, 3", "In line 4", "3 parts of the text tell"}},
		{name: "an exception over several lines", text: "Traceback (most recent call last):\nsmtplib.SMTPServerDisconnected:\nConnection unexpectedly closed", want: []string{"Connection unexpectedly closed"}},
		{name: "nothing known", text: "250 2.0.0 OK queued", want: []string{"Nothing known", "three digits"}, not: []string{`class="card"`}},
		{name: "markup stays text", text: "550 5.1.1 <script>alert(1)</script></textarea><b>x</b> user unknown", want: []string{"&lt;script&gt;", "recipient.unknown"}, not: []string{"<script>alert", "</textarea><b>"}},
		{name: "control characters are shown", text: "550 5.1.1 no \x1b[2J such user", want: []string{`\x1b`}, not: []string{"550 5.1.1 no \x1b[2J such user</q>"}},
	} {
		code, page := sendForm(t, address, url.Values{"text": {test.text}, "upstream": {test.upstream}})
		if code != http.StatusOK {
			t.Errorf("%s: got status %d, want 200", test.name, code)
		}
		for _, want := range test.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q: got no %q in\n%s", test.name, test.text, want, explainResults(page))
			}
		}
		for _, not := range test.not {
			if strings.Contains(page, not) {
				t.Errorf("%s: %q: got %q in\n%s", test.name, test.text, not, explainResults(page))
			}
		}
		if n := strings.Count(page, `id="finding-1"`); n > 1 {
			t.Errorf("%s: id finding-1 stands there %d times, want once", test.name, n)
		}
	}
}

// explainResults is the part of the page that answers.
func explainResults(page string) string {
	_, page, _ = strings.Cut(page, "</form>")
	return page
}

func TestExplainBounds(t *testing.T) {
	o, _ := knowing(t)
	address := served(t, o).URL + "/explain"
	for name, test := range map[string]struct {
		form url.Values
		code int
		want string
	}{
		"200 lines":     {url.Values{"text": {strings.Repeat("ok\n", 199) + "550 5.1.1 user unknown"}}, 200, "recipient.unknown"},
		"201 lines":     {url.Values{"text": {strings.Repeat("ok\n", 200) + "550 5.1.1 user unknown"}}, 413, "200 lines or 64 kB"},
		"64 kB":         {url.Values{"text": {strings.Repeat("x", 64<<10+1)}}, 413, "200 lines or 64 kB"},
		"a megabyte":    {url.Values{"text": {strings.Repeat("x", 1<<20)}}, 413, "200 lines or 64 kB"},
		"nothing":       {url.Values{"text": {" \r\n "}}, 400, "nothing to explain"},
		"no field":      {url.Values{}, 400, "nothing to explain"},
		"a long host":   {url.Values{"text": {"550 x"}, "upstream": {strings.Repeat("a", 300)}}, 400, "no host name"},
		"empty lines":   {url.Values{"text": {"\n\n\n550 5.1.1 user unknown\n\n\n"}}, 200, "recipient.unknown"},
		"not UTF-8":     {url.Values{"text": {"550 5.1.1 \xff\xfe user unknown"}}, 200, `\xff`},
		"a line of NUL": {url.Values{"text": {"550 5.1.1 user unknown\x00"}}, 200, `\x00`},
	} {
		if code, page := sendForm(t, address, test.form); code != test.code || !strings.Contains(page, test.want) {
			t.Errorf("%s: got status %d, want %d with %q in\n%s", name, code, test.code, test.want, page[:min(len(page), 4000)])
		}
	}
	if code, _, _ := ask(t, "GET", address+"?text=550+5.1.1+user+unknown", nil); code != 200 {
		t.Errorf("GET: got %d, want the form", code)
	} else if _, _, page := ask(t, "GET", address+"?text=550+5.1.1+user+unknown", nil); strings.Contains(explainResults(page), `class="card"`) {
		t.Error("GET with a text explains it: what is in an address is kept by browsers")
	}
}

// TestExplainKeepsSecrets pastes secrets in all the ways in which they come.
func TestExplainKeepsSecrets(t *testing.T) {
	o, _ := knowing(t)
	address := served(t, o).URL + "/explain"
	const password = "Tr0ub4dor"
	encoded := base64.StdEncoding.EncodeToString([]byte(password))
	plain := base64.StdEncoding.EncodeToString([]byte("\x00me@example.com\x00" + password))
	const end = "\n535 5.7.8 Username and Password not accepted"
	for name, text := range map[string]string{
		"swaks, LOGIN":      " -> AUTH LOGIN\n<-  334 VXNlcm5hbWU6\n -> bWVAZXhhbXBsZS5jb20=\n<-  334 UGFzc3dvcmQ6\n -> " + encoded + "\n<** 535 5.7.8 no",
		"swaks, PLAIN":      " ~> AUTH PLAIN " + plain + "\n<~* 535 5.7.8 no",
		"PLAIN in two":      "C: AUTH PLAIN\nS: 334\nC: " + plain + "\nS: 535 5.7.8 no",
		"smtplib":           "send: 'AUTH PLAIN " + plain + "\\r\\n'\nreply: b'535 5.7.8 no\\r\\n'",
		"smtplib, LOGIN":    "reply: b'334 UGFzc3dvcmQ6\\r\\n'\nsend: '" + encoded + "\\r\\n'\nreply: b'535 5.7.8 no\\r\\n'",
		"PHPMailer":         "2026-11-21 10:00:00 CLIENT -> SERVER: AUTH LOGIN\n2026-11-21 10:00:00 SERVER -> CLIENT: 334 UGFzc3dvcmQ6\n2026-11-21 10:00:00 CLIENT -> SERVER: " + encoded + end,
		"curl":              "> AUTH PLAIN\n< 334\n> " + plain + "\n< 535 5.7.8 no",
		"a password as is":  "> AUTH LOGIN\n< 334 UGFzc3dvcmQ6\n> " + password + "\n< 535 5.7.8 no",
		"in the command":    "AUTH PLAIN " + plain + end,
		"alone on a line":   plain + end,
		"in a URL":          "dial smtp://me:" + password + "@smtp.example.com:587" + end,
		"as a setting":      "SMTP_PASSWORD=" + password + end,
		"as JSON":           `{"user":"me","password": "` + password + `"}` + end,
		"a flag of swaks":   "swaks -s x --auth-user me --auth-password " + password + end,
		"a flag of curl":    "curl -u me:" + password + " smtp://x" + end,
		"an SES key":        "user AKIAIOSFODNN7EXAMPLE secret=" + password + end,
		"a bearer token":    "AUTH XOAUTH2 " + base64.StdEncoding.EncodeToString([]byte("user=me\x01auth=Bearer "+password+"\x01\x01")) + end,
		"a token on a line": "> AUTH XOAUTH2\n< 334\n> " + base64.StdEncoding.EncodeToString([]byte("user=me\x01auth=Bearer "+password+"\x01\x01")) + end,
	} {
		for _, how := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
			code, page := sendForm(t, address, url.Values{"text": {how}})
			if code != http.StatusOK || !strings.Contains(page, "***") {
				t.Errorf("%s: got status %d and no *** for\n%s\n%s", name, code, how, page)
			}
			for _, secret := range []string{password, encoded, plain, strings.TrimRight(encoded, "="), "AKIAIOSFODNN7EXAMPLE"} {
				if strings.Contains(page, secret) {
					t.Errorf("%s: the page has %q of\n%s\n%s", name, secret, how, page)
				}
			}
			if !strings.Contains(page, "auth.") {
				t.Errorf("%s: got no finding of the family auth for\n%s", name, how)
			}
		}
	}
}

// TestExplainExamples tries what the page offers.
func TestExplainExamples(t *testing.T) {
	o, _ := knowing(t)
	address := served(t, o).URL + "/explain"
	_, _, page := ask(t, "GET", address, nil)
	texts := attributesOf(t, page, "button", "value")
	if len(texts) < 2 {
		t.Fatalf("got examples %q, want two at least", texts)
	}
	for _, text := range texts {
		if code, page := sendForm(t, address, url.Values{"text": {text}}); code != 200 || !strings.Contains(page, `class="card"`) {
			t.Errorf("example %q: got status %d, want 200 and a finding", text, code)
		}
	}
}

func TestExplainWithoutRules(t *testing.T) {
	address := served(t, web.Options{}).URL + "/explain"
	if code, page := sendForm(t, address, url.Values{"text": {"550 x"}}); code != 404 && code != 400 || !strings.Contains(page, "smtp-proxy explain") {
		t.Errorf("got status %d, want an error that names the command line:\n%s", code, page)
	}
}
