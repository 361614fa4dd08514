package probe

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParsePolicy(t *testing.T) {
	day := 24 * time.Hour
	for _, x := range []struct {
		text string
		want policy
		err  string
	}{
		{"version: STSv1\nmode: enforce\nmx: MX.example\nmx: *.example\nmax_age: 86400", policy{modeEnforce, day, []string{"mx.example", "*.example"}}, ""},
		{"version:STSv1\r\nmode:none\r\nmax_age:0\r\n", policy{modeNone, 0, nil}, ""},
		{"mode: testing\nversion: STSv1 \nfuture: thing\n\nmax_age: 86400\nmx: a.example\nmode: enforce\n", policy{modeTesting, day, []string{"a.example"}}, ""},
		{"", policy{}, "version"},
		{"version: STSv2\nmode: none\nmax_age: 1", policy{}, `version is "STSv2"`},
		{"version: STSv1\nmode: report\nmax_age: 1", policy{}, `mode is "report"`},
		{"version: STSv1\nmode: enforce\nmax_age: 1", policy{}, "names no mx"},
		{"version: STSv1\nmode: none", policy{}, "max_age"},
		{"version: STSv1\nmode: none\nmax_age: -1", policy{}, "max_age"},
		{"version: STSv1\nmode: none\nmax_age: 31557601", policy{}, "max_age"},
		{"version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.*.example", policy{}, "neither a host name"},
		{"version: STSv1\nmode: enforce\nmax_age: 1\nmx: .example", policy{}, "neither a host name"},
	} {
		got, err := parsePolicy(x.text)
		switch {
		case x.err == "" && (err != nil || !reflect.DeepEqual(got, x.want)):
			t.Errorf("%q: got %+v, %v; want %+v", x.text, got, err, x.want)
		case x.err != "" && (!errors.Is(err, errNoPolicy) || !strings.Contains(err.Error(), x.err)):
			t.Errorf("%q: got error %v, want one about %q", x.text, err, x.err)
		}
	}
}

func TestPolicyAllows(t *testing.T) {
	p := policy{mx: []string{"mx.example.com", "*.example.net"}}
	for name, want := range map[string]bool{
		"mx.example.com": true, "mail.example.com": false, "a.mx.example.com": false,
		"mail.example.net": true, "example.net": false, "a.mail.example.net": false, "*.example.net": true, "": false,
	} {
		if got := p.allows(name); got != want {
			t.Errorf("%q of %q: got %v, want %v", name, p.mx, got, want)
		}
	}
}

func TestPolicyRecord(t *testing.T) {
	for _, x := range []struct {
		texts   []string
		found   bool
		trouble string
	}{
		{nil, false, ""},
		{[]string{"v=spf1 -all", "v=STSv10; id=1;"}, false, ""},
		{[]string{"v=STSv1; id=20160831085700Z;"}, true, ""},
		{[]string{"other", "v=STSv1 ;future=x; id=1"}, true, ""},
		{[]string{"v=STSv1; id=1;", "v=STSv1; id=2;"}, false, "2 records"},
		{[]string{"v=STSv1;"}, false, "no usable id"},
		{[]string{"v=STSv1; id=2026-01-01;"}, false, "no usable id"},
		{[]string{"v=STSv1; id=" + strings.Repeat("a", 33)}, false, "no usable id"},
	} {
		found, trouble := policyRecord(x.texts)
		if found != x.found || (x.trouble == "") != (trouble == "") || !strings.Contains(trouble, x.trouble) {
			t.Errorf("%q: got %v %q, want %v %q", x.texts, found, trouble, x.found, x.trouble)
		}
	}
}

// FuzzPolicy promises that what is taken for a policy is within the bounds of
// the RFC, allows the hosts that it names and none below them, and is the same
// policy when it is written out and read again.
func FuzzPolicy(f *testing.F) {
	f.Add("version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmx: mx.example.net\r\nmax_age: 604800\r\n")
	f.Add("version: STSv1\nmode: none\nmax_age: 0")
	f.Add("mode:testing\nmx:a\nmx:a\nmode:x\nversion:STSv1\nmax_age:31557600\nmx:\t*.B \r")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy(text)
		if err != nil {
			if !errors.Is(err, errNoPolicy) || len(err.Error()) > 500 {
				t.Fatalf("%q: error %v, want a short one that says it is no policy", text, err)
			}
			return
		}
		if p.age < 0 || p.age > maxPolicyAge || len(p.mx) > maxPatterns || len(p.mx) == 0 && p.mode != modeNone {
			t.Fatalf("%q: got %+v, out of bounds", text, p)
		}
		out := fmt.Sprintf("version: STSv1\nmode: %s\nmax_age: %d\n", p.mode, p.age/time.Second)
		for _, pattern := range p.mx {
			name := strings.Replace(pattern, "*", "one", 1)
			if !p.allows(name) || (policy{mx: []string{pattern}}).allows("below."+name) {
				t.Fatalf("%q: pattern %q does not stand for %q, or for what is below it", text, pattern, name)
			}
			out += "mx: " + pattern + "\n"
		}
		if again, err := parsePolicy(out); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%q: got %+v, and %+v (%v) from %q", text, p, again, err, out)
		}
	})
}
