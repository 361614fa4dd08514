package policy

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestZeroConfigIsTheDefaults(t *testing.T) {
	got := Config{}.Filled()
	want := Defaults()
	if got.Listen != want.Listen || got.Keep != want.Keep || got.Grace != want.Grace || got.HTTP != want.HTTP {
		t.Errorf("Config{}.Filled() = %+v, want %+v", got, want)
	}
	if err := (Config{Route: Route{Upstream: "smtp.example.com:587"}}).Check(); err != nil {
		t.Errorf("Check() with an upstream alone = %v, want nil", err)
	}
}

func TestCheckReportsAllMistakesTogether(t *testing.T) {
	c := Config{
		Route:          Route{Listen: "0.0.0.0:1025", UpstreamTLS: "ssl", Capture: "some"},
		HTTP:           ":8025",
		Probe:          "maybe",
		Resolver:       "dns.example.com",
		Cert:           "cert.pem",
		MaxSessions:    -1,
		ConnectTimeout: -time.Second,
	}
	err := c.Check()
	if err == nil {
		t.Fatal("Check() = nil, want all the mistakes")
	}
	for _, want := range []string{
		"--upstream is missing", "smtp-proxy demo", "--allow-from", "--http-auth", `--upstream-tls "ssl" is not known: choose auto, starttls, implicit or none`,
		`--capture "some"`, `--probe "maybe"`, `--resolver "dns.example.com"`, "--cert and --key belong together",
		"--max-sessions -1", "--connect-timeout -1s",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Check() lacks %q in:\n%v", want, err)
		}
	}
}

func TestCheckOneMistake(t *testing.T) {
	base := Route{Upstream: "smtp.example.com:587"}
	with := func(edit func(*Config)) Config {
		c := Config{Route: base}
		edit(&c)
		return c
	}
	second := Route{Name: "ses", Listen: "localhost:1026", Upstream: "email-smtp.eu-west-1.amazonaws.com:587"}
	for name, test := range map[string]struct {
		config Config
		want   string // "" for no mistake
	}{
		"listen without port":                   {with(func(c *Config) { c.Listen = "localhost" }), `--listen "localhost" is no address`},
		"port beyond range":                     {with(func(c *Config) { c.Listen = "localhost:70000" }), "no usable port"},
		"port by name":                          {with(func(c *Config) { c.Listen = "localhost:smtp" }), "no usable port"},
		"all interfaces":                        {with(func(c *Config) { c.Listen = ":1025" }), "--allow-from"},
		"another host name":                     {with(func(c *Config) { c.Listen = "box.lan:1025" }), "--allow-from"},
		"exposed and allowed":                   {with(func(c *Config) { c.Listen = ":1025"; c.AllowFrom = mustNets(t, "10.0.0.0/8") }), ""},
		"IPv6 loopback":                         {with(func(c *Config) { c.Listen = "[::1]:1025" }), ""},
		"page off":                              {with(func(c *Config) { c.HTTP = "off" }), ""},
		"page exposed with auth":                {with(func(c *Config) { c.HTTP = ":8025"; c.HTTPAuth = "users" }), ""},
		"credentials in the URL":                {with(func(c *Config) { c.Upstream = "smtp://me:hunter2@smtp.example.com" }), "user name or password"},
		"transparent, no upstream":              {Config{Transparent: true}, ""},
		"transparent, a route without upstream": {Config{Transparent: true, Routes: []Route{{Name: "x", Listen: "localhost:1026"}}}, `--upstream of route "x" is missing`},
		"routes alone":                          {Config{Routes: []Route{second}}, ""},
		"route without name":                    {with(func(c *Config) { c.Routes = []Route{{Listen: "localhost:1026", Upstream: "a:25"}} }), "has no name"},
		"route without listener":                {with(func(c *Config) { c.Routes = []Route{{Name: "x", Upstream: "a:25"}} }), `route "x" has no listener`},
		"route without upstream":                {with(func(c *Config) { c.Routes = []Route{{Name: "x", Listen: "localhost:1026"}} }), `--upstream of route "x" is missing`},
		"same name twice":                       {with(func(c *Config) { c.Routes = []Route{second, {Name: "ses", Listen: "localhost:1", Upstream: "a:25"}} }), `two routes are named "ses"`},
		"same port twice":                       {with(func(c *Config) { c.Routes = []Route{{Name: "x", Listen: "localhost:1025", Upstream: "a:25"}} }), "both listen on localhost:1025"},
		"any port twice": {with(func(c *Config) {
			c.Listen = "localhost:0"
			c.Routes = []Route{{Name: "x", Listen: "localhost:0", Upstream: "a:25"}}
		}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.config.Check()
			if test.want == "" && err != nil {
				t.Errorf("Check() = %v, want nil", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("Check() = %v, want one mistake with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Check() = %v, repeats the password", err)
			}
		})
	}
}

func TestRoutesInherit(t *testing.T) {
	c := Config{
		Route:  Route{Upstream: "a:587", UpstreamTLS: "starttls", AppTLS: "offer", AllowFrom: mustNets(t, "10.0.0.0/8")},
		Routes: []Route{{Name: "second", Listen: "localhost:1026", Upstream: "b:465", AppTLS: "require"}},
	}
	all := c.All()
	if len(all) != 2 || all[0].Name != "default" || all[0].Listen != "localhost:1025" {
		t.Fatalf("All() = %+v, want the default route and the second", all)
	}
	got := all[1]
	if got.UpstreamTLS != "starttls" || got.AppTLS != "require" || got.Capture != "full" || got.AllowFrom.String() != "10.0.0.0/8" {
		t.Errorf("All()[1] = %+v, want what it lacks from the top level", got)
	}
	c.Upstream = ""
	if all := c.All(); len(all) != 1 || all[0].Name != "second" {
		t.Errorf("All() without a top-level upstream = %+v, want the second route alone", all)
	}
}

func TestNets(t *testing.T) {
	nets := mustNets(t, "172.17.3.4/16, 192.0.2.7,fd00::/8")
	if got, want := nets.String(), "172.17.0.0/16,192.0.2.7/32,fd00::/8"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	for addr, want := range map[string]bool{"172.17.9.9": true, "::ffff:192.0.2.7": true, "192.0.2.8": false, "fd12::1%eth0": true, "127.0.0.1": false} {
		if got := nets.Contains(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s.Contains(%s) = %v, want %v", nets, addr, got, want)
		}
	}
	for _, bad := range []string{"", "localhost", "10.0.0.0/33", "10.0.0.0/8,"} {
		if got, err := ParseNets(bad); err == nil {
			t.Errorf("ParseNets(%q) = %v, want an error", bad, got)
		}
	}
}

func mustNets(t *testing.T, text string) Nets {
	t.Helper()
	nets, err := ParseNets(text)
	if err != nil {
		t.Fatal(err)
	}
	return nets
}
