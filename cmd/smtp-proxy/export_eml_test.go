package main

import (
	"strings"
	"testing"
)

func TestExportEML(t *testing.T) {
	r := newRecord(t)
	r.begin()
	r.app("MAIL", "MAIL FROM:<a@x>")
	r.app("DATA", "DATA")
	r.content(".", "Subject: one\r\n\r\n..one\r\n", "")
	r.app("MAIL", "MAIL FROM:<b@x>")
	r.app("BDAT", "BDAT 16")
	r.content("BDAT", "Subject: two\r\n\r\n", "")
	r.app("BDAT", "BDAT 5 LAST")
	r.content("BDAT", "..two", "")
	r.app("MAIL", "MAIL FROM:<c@x>")
	r.keep("full")
	for _, test := range []struct {
		message, want string
		code          int
		says          string
	}{
		{"1", "Subject: one\r\n\r\n.one\r\n", 0, ""},
		{"2", "Subject: two\r\n\r\n..two", 0, ""},
		{"3", "", 1, "message 3 was never sent"},
		{"4", "", 64, "--message 4: session 01J00000000000000000000000 has 3 messages"},
		{"0", "", 64, "--message 0"},
	} {
		out, errs, code := r.export("--format", "eml", "--message", test.message)
		if string(out) != test.want || code != test.code || !strings.Contains(string(errs), test.says) {
			t.Errorf("--message %s: got %q, code %d and %q, want %q, code %d and %q", test.message, out, code, errs, test.want, test.code, test.says)
		}
	}
}

func TestExportEMLOfAPart(t *testing.T) {
	for capture, test := range map[string]struct {
		want, says string
		code       int
	}{
		"full":    {"Subject: one\r\n\r\nha", "warning: message 1 is not whole: it was cut off before its end", 0},
		"headers": {"Subject: one\r\n\r\n", "warning: message 1 is not whole: --capture headers", 0},
		"none":    {"", "message 1 is not in the record: --capture none", 1},
	} {
		r := newRecord(t)
		r.begin()
		r.app("MAIL", "MAIL FROM:<a@x>")
		r.app("DATA", "DATA")
		r.content(".", "Subject: one\r\n\r\nha", "cut off before its end")
		r.keep(capture)
		out, errs, code := r.export("--format", "eml")
		if string(out) != test.want || code != test.code || !strings.Contains(string(errs), test.says) {
			t.Errorf("--capture %s: got %q, code %d and %q, want %q, code %d and %q", capture, out, code, errs, test.want, test.code, test.says)
		}
	}
}
