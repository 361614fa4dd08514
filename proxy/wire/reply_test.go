package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestReplyLine(t *testing.T) {
	tests := []struct {
		in   string
		code int
		more bool
		text string
		ok   bool
	}{
		{"250 ok\r\n", 250, false, "ok", true},
		{"250-mx.example.com\r\n", 250, true, "mx.example.com", true},
		{"250\r\n", 250, false, "", true},
		{"250", 250, false, "", true},
		{"354 \n", 354, false, "", true},
		{"220\tmx\r\n", 220, false, "mx", true},
		{"2500 x\r\n", 0, false, "", false},
		{"25", 0, false, "", false},
		{"SSH-2.0-OpenSSH_9.2\r\n", 0, false, "", false},
		{"* OK IMAP4rev1\r\n", 0, false, "", false},
		{"999 x\r\n", 0, false, "", false},
		{"\x15\x03\x01\x00\x02", 0, false, "", false},
	}
	for _, tt := range tests {
		code, more, text, ok := ReplyLine([]byte(tt.in))
		if code != tt.code || more != tt.more || string(text) != tt.text || ok != tt.ok {
			t.Errorf("ReplyLine(%q) = %d, %v, %q, %v; want %d, %v, %q, %v", tt.in, code, more, text, ok, tt.code, tt.more, tt.text, tt.ok)
		}
	}
}

func TestParseReply(t *testing.T) {
	r, ok := ParseReply("550-5.1.1 The account\r\n550 5.1.1 does not exist\r\n")
	if !ok || r.Code != 550 || r.Enhanced != "5.1.1" || r.Text() != "5.1.1 The account\n5.1.1 does not exist" {
		t.Errorf("got %+v, %v", r, ok)
	}
	for _, bad := range []string{"", "550-more to come", "550 a\n550 b", "hello"} {
		if r, ok := ParseReply(bad); ok {
			t.Errorf("ParseReply(%q) = %+v, want it refused", bad, r)
		}
	}
}

func TestEnhanced(t *testing.T) {
	tests := []struct {
		code       int
		text, want string
	}{
		{550, "5.1.1 no such user", "5.1.1"},
		{550, "5.7.139 Authentication unsuccessful", "5.7.139"},
		{421, " 4.7.0 later", "4.7.0"},
		{550, "5.1.1", "5.1.1"},
		{550, "5.7.1: relay", "5.7.1"},
		{550, "4.1.1 class of another code", ""},
		{550, "5.1 short", ""},
		{550, "5.1.1.1 long", ""},
		{550, "5.1.1x", ""},
		{550, "5.1000.1 x", ""},
		{250, "192.0.2.1 hello", ""},
		{250, "", ""},
	}
	for _, tt := range tests {
		if got := Enhanced(tt.code, []byte(tt.text)); got != tt.want {
			t.Errorf("Enhanced(%d, %q) = %q, want %q", tt.code, tt.text, got, tt.want)
		}
	}
}

func TestEditEHLO(t *testing.T) {
	tests := []struct {
		name, in string
		edit     EHLOEdit
		out      string
		changes  string
	}{
		{"in the middle", "250-mx\r\n250-STARTTLS\r\n250 SIZE 1\r\n", EHLOEdit{Remove: "STARTTLS"}, "250-mx\r\n250 SIZE 1\r\n", "removed STARTTLS"},
		{"last line", "250-mx\r\n250-SIZE 1\r\n250 starttls\r\n", EHLOEdit{Remove: "STARTTLS"}, "250-mx\r\n250 SIZE 1\r\n", "removed STARTTLS"},
		{"nothing to do", "250-mx\r\n250 SIZE 1\r\n", EHLOEdit{Remove: "STARTTLS", Unbindable: true}, "250-mx\r\n250 SIZE 1\r\n", ""},
		{"host named like a keyword", "250 STARTTLS\r\n", EHLOEdit{Remove: "STARTTLS"}, "250 STARTTLS\r\n", ""},
		{"add", "250-mx\r\n250 SIZE 1\r\n", EHLOEdit{Add: "STARTTLS"}, "250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n", "added STARTTLS"},
		{"add to a single line", "250 mx\r\n", EHLOEdit{Add: "STARTTLS"}, "250-mx\r\n250 STARTTLS\r\n", "added STARTTLS"},
		{"add what is there", "250-mx\r\n250 STARTTLS\r\n", EHLOEdit{Add: "STARTTLS"}, "250-mx\r\n250 STARTTLS\r\n", ""},
		{"channel binding", "250-mx\r\n250-AUTH SCRAM-SHA-256-PLUS PLAIN SCRAM-SHA-256\r\n250 HELP\r\n", EHLOEdit{Unbindable: true},
			"250-mx\r\n250-AUTH PLAIN SCRAM-SHA-256\r\n250 HELP\r\n", "removed AUTH mechanism SCRAM-SHA-256-PLUS"},
		{"channel binding alone", "250-mx\r\n250 AUTH SCRAM-SHA-1-PLUS\r\n", EHLOEdit{Unbindable: true}, "250 mx\r\n", "removed AUTH mechanism SCRAM-SHA-1-PLUS"},
	}
	for _, tt := range tests {
		got, changes := EditEHLO([]byte(tt.in), tt.edit)
		if string(got) != tt.out || strings.Join(changes, ", ") != tt.changes {
			t.Errorf("%s: got %q, %q; want %q, %q", tt.name, got, changes, tt.out, tt.changes)
		}
	}
}

// FuzzEditEHLO checks that an edited reply is still one reply with the same
// code, and that taking out what was put in gives the first one back.
func FuzzEditEHLO(f *testing.F) {
	f.Add("mx", "SIZE 1", "STARTTLS")
	f.Add("mx", "AUTH PLAIN X-PLUS", "HELP")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, s := range []string{a, b, c} {
			if strings.ContainsAny(s, "\r\n") {
				return
			}
		}
		in := []byte("250-" + a + "\r\n250-" + b + "\r\n250 " + c + "\r\n")
		out, _ := EditEHLO(in, EHLOEdit{Remove: "STARTTLS", Unbindable: true})
		if _, ok := ParseReply(string(out)); !ok {
			t.Fatalf("%q became %q, which is no reply", in, out)
		}
		if Offers(out, "STARTTLS") {
			t.Errorf("%q still offers STARTTLS in %q", in, out)
		}
		added, _ := EditEHLO(out, EHLOEdit{Add: "STARTTLS"})
		back, _ := EditEHLO(added, EHLOEdit{Remove: "STARTTLS"})
		if !bytes.Equal(back, out) {
			t.Errorf("adding and removing made %q of %q", back, out)
		}
	})
}

// FuzzReplyLine checks that a line that is understood can be written again
// from what was understood.
func FuzzReplyLine(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-x\n", "250", "354\t\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		code, more, text, ok := ReplyLine(line)
		if !ok {
			return
		}
		trimmed := trimLineEnd(line)
		if len(trimmed) == 3 {
			return
		}
		if more != (trimmed[3] == '-') || !bytes.Equal(trimmed[4:], text) || code < 100 || code > 699 {
			t.Errorf("%q was read as %d, %v, %q", line, code, more, text)
		}
		if e := Enhanced(code, text); e != "" && !strings.HasPrefix(strings.TrimLeft(string(text), " "), e) {
			t.Errorf("%q: enhanced code %q is not at its head", line, e)
		}
	})
}

// FuzzEnhancedIn checks that the short way to a reply's enhanced code and the
// long one agree.
func FuzzEnhancedIn(f *testing.F) {
	for _, s := range []string{"250 ok", "550-5.1.1 a\n550 5.1.2 b\r\n", "550-a\n550 5.7.139 b", "550-5.1.1 a", "550 5.1.1 a\n[…]", "\n", "250 2.1.5", "250 2.1.0\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		r, ok := ParseReply(reply)
		if got := EnhancedIn(reply); got != r.Enhanced || !ok && got != "" {
			t.Errorf("EnhancedIn(%q) = %q, want %q", reply, got, r.Enhanced)
		}
	})
}

// FuzzLineText checks that a line's text is the line, and that reading it as a
// command makes no difference.
func FuzzLineText(f *testing.F) {
	for _, s := range []string{"DATA\r\n", "quit\r\n", "QUIT", " RSET\r\n", "NOOP x\r\n", "\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		text := LineText(line)
		if text != string(TrimCRLF(line)) {
			t.Errorf("LineText(%q) = %q", line, text)
		}
		if c := ParseCommandText(text); c != ParseCommand(line) {
			t.Errorf("ParseCommandText(%q) = %q, want %q", text, c, ParseCommand(line))
		}
	})
}
