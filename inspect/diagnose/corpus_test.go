package diagnose_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// documented is one reply that a provider, a program or an RFC documents, with
// the cause and advice that follow from what the source says of it.
type documented struct {
	Reply    string `json:"reply"`
	Provider string `json:"provider_or_mta"`
	Cause    string `json:"cause"`
	Retry    string `json:"retry"`
	Source   string `json:"source"`
}

// disputed are labels that the source itself speaks against: a part of the
// reply, the cause and advice that are right, and why.
var disputed = []struct{ part, cause, retry, why string }{
	{"Timeout - closing connection", "app.timeout", "now",
		"the source says that the client was silent too long; upstream.timeout is a smarthost that does not answer"},
	{"SubmissionQuotaExceededException", "rate.quota-exceeded", "later",
		"it is the answer beyond 10,000 recipients a day: learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements"},
	{"SC-003", "reputation.ip-blocklisted", "after-fix",
		"Outlook.com takes the sending address for an open relay; relay.denied is a smarthost that does not relay for this client"},
}

// hosts are the smarthosts' names where a reply came from a service that has
// one: what --upstream, or a session, tells beside the words.
var hosts = map[string]string{
	"Gmail / Google Workspace": "smtp.gmail.com",
	"Exchange Online":          "smtp.office365.com",
	"Outlook.com":              "smtp-mail.outlook.com",
	"Amazon SES":               "email-smtp.us-east-1.amazonaws.com",
	"SendGrid":                 "smtp.sendgrid.net",
	"Mailgun":                  "smtp.mailgun.org",
	"Brevo":                    "smtp-relay.brevo.com",
	"SMTP2GO":                  "mail.smtp2go.com",
	"Zoho Mail":                "smtp.zoho.com",
	"ZeptoMail":                "smtp.zeptomail.com",
	"SparkPost":                "smtp.sparkpostmail.com",
	"Yahoo Mail submission":    "smtp.mail.yahoo.com",
	"Yahoo / AOL":              "smtp.mail.yahoo.com",
	"iCloud Mail":              "smtp.mail.me.com",
	"Fastmail":                 "smtp.fastmail.com",
	"Yandex":                   "smtp.yandex.com",
}

// The documented replies get their cause and advice, with the smarthost's name
// and from the words alone.
func TestExplainDocumentedReplies(t *testing.T) {
	t.Run("with host", func(t *testing.T) { measure(t, func(d documented) string { return hosts[d.Provider] }) })
	t.Run("words alone", func(t *testing.T) { measure(t, func(documented) string { return "" }) })
}

func measure(t *testing.T, host func(documented) string) {
	e := engine(t, diagnose.Options{})
	replies := readDocumented(t)
	wrongCause, wrongRetry := 0, 0
	for _, d := range replies {
		var cause, retry, rule string
		if got := e.Explain(d.Reply, host(d)); len(got) > 0 {
			cause, retry, rule = got[0].Cause, got[0].Retry.Advice, got[0].Rule
		}
		if cause == "" || strings.HasPrefix(cause, "unclassified.") {
			t.Errorf("%s: %s: unclassified, want %s", d.Provider, d.Reply, d.Cause)
		}
		if cause != d.Cause {
			wrongCause++
		}
		if retry != d.Retry {
			wrongRetry++
		}
		if cause != d.Cause || retry != d.Retry {
			t.Logf("%s: %s\n\tgot %s, %s (%s)\n\twant %s, %s (%s)", d.Provider, d.Reply, cause, retry, rule, d.Cause, d.Retry, d.Source)
		}
	}
	t.Logf("%d replies: %d causes and %d advices wrong", len(replies), wrongCause, wrongRetry)
	if most := len(replies) * 3 / 100; wrongCause > most {
		t.Errorf("%d of %d causes are wrong, want %d at most", wrongCause, len(replies), most)
	}
	if most := len(replies) / 100; wrongRetry > most {
		t.Errorf("%d of %d advices are wrong, want %d at most", wrongRetry, len(replies), most)
	}
}

// readDocumented reads the documented replies; disputed labels are put right.
func readDocumented(t *testing.T) (all []documented) {
	t.Helper()
	file, err := os.Open("testdata/documented.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var d documented
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatalf("documented.jsonl, line %d: %v", len(all)+1, err)
		}
		for _, x := range disputed {
			if strings.Contains(d.Reply, x.part) {
				d.Cause, d.Retry = x.cause, x.retry
			}
		}
		all = append(all, d)
	}
	if err := lines.Err(); err != nil || len(all) < 300 {
		t.Fatalf("documented.jsonl: %d replies, %v: want 300 at least", len(all), err)
	}
	return all
}
