package rules

import "testing"

func TestFill(t *testing.T) {
	known := func(name string) string { return map[string]string{"rcpt": "bob@example.net", "host": "mx.test"}[name] }
	tests := []struct{ text, want string }{
		{"There is no mailbox for {rcpt}", "There is no mailbox for bob@example.net"},
		{"The mailbox {rcpt} is full", "The mailbox bob@example.net is full"},
		{"The sender {from} is refused by {host}", "The sender is refused by mx.test"},
		{"The sender's domain {from_domain} does not exist", "The sender's domain does not exist"},
		{"{from} is refused", "the sender address is refused"},
		{"Set-CASMailbox {user} -Enabled", "Set-CASMailbox the user name -Enabled"},
		{"an address ({egress})", "an address (" + Placeholders()["egress"] + ")"},
		{"nothing to fill", "nothing to fill"},
	}
	for _, tt := range tests {
		if got := Fill(tt.text, known); got != tt.want {
			t.Errorf("Fill(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
