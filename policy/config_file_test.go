package policy

import (
	"strings"
	"testing"
)

var keys = Keys{
	"run":  {"listen", "upstream", "upstream-tls", "allow-from", "max-sessions", "upstream-insecure", "data"},
	"tail": {"since", "json", "data"},
}

func TestParseFile(t *testing.T) {
	f, err := ParseFile("p.toml", []byte(`
upstream = "smtp.example.com:587"
allow-from = ["10.0.0.0/8", "192.0.2.7"]
max-sessions = 20
upstream-insecure = true
data = "/all"
[tail]
data = "/tail"
[[route]]
name = "ses"
listen = "localhost:1026"
upstream = "b:465"
allow-from = "10.0.0.0/8"
`), keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][3]string{
		{"run", "upstream", "smtp.example.com:587"},
		{"run", "allow-from", "10.0.0.0/8,192.0.2.7"},
		{"run", "max-sessions", "20"},
		{"run", "upstream-insecure", "true"},
		{"run", "data", "/all"},
		{"tail", "data", "/tail"},
	} {
		if got, ok := f.Value(test[0], test[1]); !ok || got != test[2] {
			t.Errorf("Value(%s, %s) = %q, %v, want %q", test[0], test[1], got, ok, test[2])
		}
	}
	if _, ok := f.Value("tail", "since"); ok {
		t.Error("Value(tail, since) is there, want it absent")
	}
	if len(f.Routes) != 1 || f.Routes[0].Name != "ses" || f.Routes[0].AllowFrom.String() != "10.0.0.0/8" {
		t.Errorf("Routes = %+v, want the one of the file", f.Routes)
	}
}

func TestParseFileRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"unknown key":       {"# c\nlisten = \"a:1\"\nupstream-tsl = \"auto\"\n", []string{`p.toml line 3: unknown key "upstream-tsl"`, `did you mean "upstream-tls"?`}},
		"several at once":   {"lissen = 1\nfoo = 2\n", []string{`line 1: unknown key "lissen"`, `did you mean "listen"?`, `line 2: unknown key "foo"`}},
		"in a command":      {"json = true\n[tail]\nsinse = \"1m\"\n", []string{`line 3: unknown key "sinse"`, `"since"`}},
		"another command's": {"[tail]\nlisten = \"a:1\"\n", []string{`line 2: unknown key "listen"`}},
		"unknown table":     {"[tial]\njson = true\n", []string{`line 1: unknown key "tial"`, `"tail"`}},
		"in a route":        {"[[route]]\nname = \"a\"\nlisen = \"b:1\"\n", []string{`line 3: unknown key "lisen"`, `"listen"`}},
		"syntax":            {"listen = \n", []string{"p.toml line 1", "correct the TOML"}},
		"a table as value":  {"listen = { a = 1 }\n", []string{`unknown key "listen"`}},
		"a date as value":   {"listen = 2026-11-20\n", []string{"line 1: listen: this is no setting"}},
		"a list of numbers": {"allow-from = [1]\n", []string{"line 1: allow-from: a list may hold strings only"}},
		"bad net in route":  {"[[route]]\nallow-from = \"here\"\n", []string{`"here" is no address range`}},
		"a single bracket":  {"[route]\nname = \"a\"\n", []string{"p.toml"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseFile("p.toml", []byte(test.text), keys)
			if err == nil {
				t.Fatalf("ParseFile(%q) = nil, want an error", test.text)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("ParseFile(%q) = %v, want %q in it", test.text, err, want)
				}
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "upstream", "keep", "tls"}
	for word, want := range map[string]string{"lisen": "listen", "upsteam": "upstream", "Keep": "keep", "completely-else": "", "": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// FuzzParseFile checks that no value is taken from a file that has a key
// nobody knows, and that each mistake is one line.
func FuzzParseFile(f *testing.F) {
	f.Add("listen = \"a:1\"\n[[route]]\nname = \"x\"\n")
	f.Add("lissen = 1\n[tail]\njson = true\n")
	f.Add("[tail]\n\"da\\nta\" = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := ParseFile("p.toml", []byte(text), keys)
		if err != nil {
			return
		}
		for key := range file.top {
			if Nearest(key, append(keys["run"], keys["tail"]...)) != key {
				t.Fatalf("ParseFile(%q) took the unknown key %q", text, key)
			}
		}
	})
}
