package rules_test

import (
	"testing"

	"smtp-proxy/inspect/rules"
)

func TestProvider(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		hints rules.Hints
		want  string
	}{
		{rules.Hints{Host: "SMTP.Gmail.com."}, "gmail"},
		{rules.Hints{Host: "email-smtp.us-east-1.amazonaws.com"}, "ses"},
		{rules.Hints{Host: "smtp.office365.com"}, "microsoft365"},
		{rules.Hints{Host: "smtp.sendgrid.net", Banner: "220 ESMTP Postfix"}, "sendgrid"},
		{rules.Hints{Host: "mail.example.com", Banner: "220 mail.example.com ESMTP Exim 4.97"}, "exim"},
		{rules.Hints{Host: "mail.example.com", EHLO: "250-smtp.gmail.com at your service"}, "gmail"},
		{rules.Hints{Reply: "550 5.1.1 no such user - gsmtp"}, "gmail"},
		{rules.Hints{Host: "notgmail.com"}, ""},
		{rules.Hints{Host: "192.0.2.1"}, ""},
		{rules.Hints{}, ""},
	} {
		if got := set.Provider(tt.hints); got != tt.want {
			t.Errorf("Provider(%+v) = %q, want %q", tt.hints, got, tt.want)
		}
	}
}

func TestFill(t *testing.T) {
	value := func(name string) string { return map[string]string{"host": "mx.example.com"}[name] }
	for text, want := range map[string]string{
		"ask {host} on {port}": "ask mx.example.com on the configured port",
		"no placeholder":       "no placeholder",
		"{Host} {}":            "{Host} {}",
	} {
		if got := rules.Fill(text, value); got != want {
			t.Errorf("Fill(%q) = %q, want %q", text, got, want)
		}
	}
}
