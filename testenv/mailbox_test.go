package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMailboxForgetsTheOldest(t *testing.T) {
	tests := []struct {
		name string
		box  *Mailbox
		want string
	}{
		{"by number", &Mailbox{Keep: 2}, "c d"},
		{"by octets", &Mailbox{KeepBytes: 1}, "d"},
		{"not at all", &Mailbox{}, "a b c d"},
	}
	for _, tt := range tests {
		for _, text := range []string{"a", "b", "c", "d"} {
			if err := tt.box.put(Message{ID: tt.box.nextID(), Data: []byte(text)}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, m := range tt.box.Messages() {
			got = append(got, string(m.Data))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: kept %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMailboxWritesFiles(t *testing.T) {
	box := &Mailbox{Dir: t.TempDir()}
	if err := box.put(Message{ID: "1", Data: []byte("x\r\n")}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(box.Dir, "1.eml"))
	if err != nil || string(got) != "x\r\n" {
		t.Errorf("got %q, %v, want the message", got, err)
	}
	box.Dir = filepath.Join(box.Dir, "absent")
	if err := box.put(Message{ID: "2"}); err == nil {
		t.Error("put into a missing directory: got no error")
	}
	if got := len(box.Messages()); got != 1 {
		t.Errorf("%d messages kept, want 1: what could not be written was not accepted", got)
	}
}

func TestProvocations(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"550_5.1.1@example.com", "rcpt 550 5.1.1 <550_5.1.1@example.com>: Recipient address rejected: User unknown in virtual mailbox table"},
		{"550_5.1.1-two@example.com", "rcpt 550 5.1.1 <550_5.1.1-two@example.com>: Recipient address rejected: User unknown in virtual mailbox table"},
		{"452@x", "rcpt 452 Requested action not taken: insufficient system storage"},
		{"MAIL550_5.1.8@x", "mail 550 5.1.8 <MAIL550_5.1.8@x>: Sender address rejected: Domain not found"},
		{"dot554_5.9.9@x", "dot 554 5.9.9 Transaction failed"},
		{"data499@x", "data 499 Requested action not taken"},
		{"250@x", ""},
		{"bob@x", ""},
		{"5501@x", ""},
		{"550_x@x", "rcpt 550 Requested action not taken: mailbox unavailable"},
	}
	for _, tt := range tests {
		got := ""
		if p, ok := provocation(tt.addr, "rcpt"); ok {
			got = p.phase + " " + p.reply(tt.addr)
		}
		if got != tt.want {
			t.Errorf("provocation(%q): got %q, want %q", tt.addr, got, tt.want)
		}
	}
}

// Each documented example must do what its row says.
func TestProvocationExamples(t *testing.T) {
	for _, row := range Provocations() {
		if row.Pattern == "greylist" {
			if g := newGreylist(); !g.defers("a", row.Example) || g.defers("a", row.Example) {
				t.Errorf("%s: want the first RCPT deferred and the second taken", row.Example)
			}
			continue
		}
		p, ok := provocation(row.Example, "rcpt")
		if !ok || p.phase != row.Phase {
			t.Errorf("provocation(%q): got phase %q, %v, want %q", row.Example, p.phase, ok, row.Phase)
		}
	}
}
