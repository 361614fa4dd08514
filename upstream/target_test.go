package upstream_test

import (
	"strings"
	"testing"

	"smtp-proxy/upstream"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		in   string
		mode upstream.Mode
		want upstream.Target
	}{
		{"smtp.example.com:587", "", upstream.Target{Name: "smtp.example.com:587", Host: "smtp.example.com", Port: 587, Mode: "auto"}},
		{"  SMTP.Example.COM.:25 ", "none", upstream.Target{Name: "smtp.example.com:25", Host: "smtp.example.com", Port: 25, Mode: "none"}},
		{"192.0.2.1:465", "auto", upstream.Target{Name: "192.0.2.1:465", Host: "192.0.2.1", Port: 465, Mode: "auto"}},
		{"[2001:DB8::1]:587", "starttls", upstream.Target{Name: "[2001:db8::1]:587", Host: "2001:db8::1", Port: 587, Mode: "starttls"}},
		{"[::ffff:192.0.2.1]:25", "", upstream.Target{Name: "192.0.2.1:25", Host: "192.0.2.1", Port: 25, Mode: "auto"}},
		{"[fe80::1%eth0]:25", "", upstream.Target{Name: "[fe80::1%eth0]:25", Host: "fe80::1%eth0", Port: 25, Mode: "auto"}},
		{"my_relay:2525", "", upstream.Target{Name: "my_relay:2525", Host: "my_relay", Port: 2525, Mode: "auto"}},
		{"smtp://mail.example", "", upstream.Target{Name: "mail.example:25", Host: "mail.example", Port: 25, Mode: "auto"}},
		{"smtp://mail.example:2525/", "implicit", upstream.Target{Name: "mail.example:2525", Host: "mail.example", Port: 2525, Mode: "implicit"}},
		{"STARTTLS://mail.example", "auto", upstream.Target{Name: "mail.example:587", Host: "mail.example", Port: 587, Mode: "starttls"}},
		{"starttls://mail.example:25", "starttls", upstream.Target{Name: "mail.example:25", Host: "mail.example", Port: 25, Mode: "starttls"}},
		{"smtps://mail.example", "", upstream.Target{Name: "mail.example:465", Host: "mail.example", Port: 465, Mode: "implicit"}},
		{"smtps://[::1]", "", upstream.Target{Name: "[::1]:465", Host: "::1", Port: 465, Mode: "implicit"}},
	}
	for _, tt := range tests {
		got, err := upstream.ParseTarget(tt.in, tt.mode)
		if err != nil || got != tt.want {
			t.Errorf("ParseTarget(%q, %q) = %+v, %v; want %+v", tt.in, tt.mode, got, err, tt.want)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	tests := []struct {
		in, mode, want string
	}{
		{"", "", "no upstream given"},
		{"smtp.example.com", "", "the port is missing"},
		{"::1", "", "needs brackets: [::1]:587"},
		{"2001:db8::1", "starttls", "needs brackets"},
		{":25", "", "the host is missing"},
		{"smtp://", "", "the host is missing"},
		{"host:", "", "port \"\""},
		{"host:smtp", "", "port \"smtp\""},
		{"host:0", "", "port \"0\""},
		{"host:65536", "", "port \"65536\""},
		{"host:+25", "", "port \"+25\""},
		{"a..b:25", "", "empty or overlong part"},
		{strings.Repeat("a", 64) + ":25", "", "overlong part"},
		{strings.Repeat("a.", 130) + "a:25", "", "too long"},
		{"müller.example:25", "", "xn-- form"},
		{"a b:25", "", "holds ' '"},
		{"https://host", "", "unknown scheme"},
		{"smtp://host/path", "", "a path, query or fragment"},
		{"smtps://host?x=1", "", "a path, query or fragment"},
		{"smtps://host", "starttls", "drop one of them"},
		{"starttls://host", "none", "drop one of them"},
		{"host:25", "tls", "unknown TLS mode \"tls\""},
	}
	for _, tt := range tests {
		got, err := upstream.ParseTarget(tt.in, upstream.Mode(tt.mode))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseTarget(%q, %q) = %+v, error %v; want an error with %q", tt.in, tt.mode, got, err, tt.want)
		}
	}
}

func TestParseTargetNeverRepeatsCredentials(t *testing.T) {
	for _, in := range []string{
		"smtps://joe:hunter2@host",
		"joe:hunter2@host:587",
		"ftp://joe:hunter2@host",
		"smtp://host/@hunter2",
		"smtp://joe:hunter2%40x@host:port?y",
	} {
		_, err := upstream.ParseTarget(in, "")
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "password") {
			t.Errorf("ParseTarget(%q): error %v; want one that names the matter and not the password", in, err)
		}
	}
}

func TestTargetImplicit(t *testing.T) {
	tests := []struct {
		port int
		mode upstream.Mode
		want bool
	}{
		{465, upstream.ModeAuto, true},
		{587, upstream.ModeAuto, false},
		{587, upstream.ModeImplicit, true},
		{465, upstream.ModeSTARTTLS, false},
		{465, upstream.ModeNone, false},
	}
	for _, tt := range tests {
		target := upstream.Target{Port: tt.port, Mode: tt.mode}
		if got := target.Implicit(); got != tt.want {
			t.Errorf("Implicit() of %+v = %v, want %v", target, got, tt.want)
		}
	}
}

// The name of a target that was read is read again as the same target, and
// whatever stands behind credentials, the error does not repeat them.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{
		"smtp.example.com:587", "[::1]:25", "smtps://mail.example", "starttls://[2001:db8::1]:2525/",
		"u:p@h:1", "[::1%lo]:25", "::1", "smtp://", "a.:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := upstream.ParseTarget("smtps://joe:hunter2@"+s, ""); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("with credentials before %q: error %v; want one without the password", s, err)
		}
		target, err := upstream.ParseTarget(s, "")
		if err != nil {
			return
		}
		again, err := upstream.ParseTarget(target.Name, target.Mode)
		if err != nil || again != target {
			t.Fatalf("ParseTarget(%q) = %+v; its name again = %+v, %v", s, target, again, err)
		}
	})
}
