package probe_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/upstream/probe"
)

// loadLists reads the data that is built in.
func loadLists(t testing.TB) []probe.Blocklist {
	t.Helper()
	lists, err := probe.LoadBlocklists("")
	if err != nil {
		t.Fatal(err)
	}
	return lists
}

// closed are zones that must never be asked, with the year in which they went:
// those that closed, and those whose data has moved into another zone.
func closed() map[string]int {
	return map[string]int{
		"sorbs.net": 2024, "manitu.net": 2025, "njabl.org": 2013, "ahbl.org": 2015, "dsbl.org": 2008, "ordb.org": 2006,
		"spamcannibal.org": 2018, "inps.de": 2020, "unsubscore.com": 2023, "megarbl.net": 2019, "emailbasura.org": 2019,
		"burnt-tech.com": 2016, "virbl.bit.nl": 2017, "wpbl.info": 2022, "cyberlogic.net": 2020, "rfc-ignorant.org": 2012,
		"mail-abuse.org": 2012, "csma.biz": 2013, "sectoor.de": 2018, "wormrbl.imp.ch": 2025, "spamrbl.imp.ch": 2025,
		"opm.tornevall.org": 2013, "rbl.snark.net": 2004, "nszones.com": 2011, "psky.me": 2019, "msrbl.net": 2019,
		// Data that is part of another zone today, or not for addresses.
		"cbl.abuseat.org": 2021, "sbl-xbl.spamhaus.org": 2006, "sbl.spamhaus.org": 2006, "xbl.spamhaus.org": 2006,
		"pbl.spamhaus.org": 2006, "dbl.spamhaus.org": 2010, "drone.abuse.ch": 2018, "combined.abuse.ch": 2018, "rhsbl.ahbl.org": 2015,
	}
}

func TestNoClosedListIsAsked(t *testing.T) {
	for _, l := range loadLists(t) {
		for zone, year := range closed() {
			if l.Zone == zone || strings.HasSuffix(l.Zone, "."+zone) {
				t.Errorf("%s: %s is closed since %d", l.Zone, zone, year)
			}
		}
	}
}

func TestBlocklistsData(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range loadLists(t) {
		name := dns.Fqdn(l.Zone)
		if _, ok := dns.IsDomainName(name); !ok || seen[l.Zone] || seen[l.Name] || strings.ToLower(l.Zone) != l.Zone {
			t.Errorf("zone %q, name %q: want a lower-case domain name and both only once", l.Zone, l.Name)
		}
		seen[l.Zone], seen[l.Name] = true, true
		if !strings.HasPrefix(l.Source, "https://") {
			t.Errorf("%s: source %q, want a page", l.Zone, l.Source)
		}
		for code := range l.Refusals {
			if _, both := l.Codes[code]; both {
				t.Errorf("%s: %s is a listing and a refusal", l.Zone, code)
			}
		}
	}
	for _, zone := range []string{"zen.spamhaus.org", "b.barracudacentral.org", "bl.spamcop.net"} {
		if !seen[zone] {
			t.Errorf("%s is missing", zone)
		}
	}
}

func TestBlocklistsDataMistakes(t *testing.T) {
	const good = "[[list]]\nzone = \"bl.example.org\"\nname = \"Example\"\npage = \"https://example.org/\"\nweight = \"minor\"\n[list.codes]\n\"127.0.0.2\" = { means = \"spam\" }\n"
	if _, err := probe.LoadBlocklists(good); err != nil {
		t.Fatalf("got %v, want none, for\n%s", err, good)
	}
	tests := []struct{ old, new, want string }{
		{"bl.example.org", "bl", "needs zone"},
		{"https://", "http://", "needs zone"},
		{`"minor"`, `"heavy"`, "use major, minor or policy"},
		{"127.0.0.2", "192.0.2.2", "127.0.0.0/8"},
		{"127.0.0.2", "::1", "127.0.0.0/8"},
		{`means = "spam"`, `weight = "minor"`, "a meaning"},
		{"name =", "title = \"x\"\nname =", "unknown key list.title"},
		{"[[list]]", "[[list", "blocklists.toml"},
	}
	for _, test := range tests {
		text := strings.Replace(good, test.old, test.new, 1)
		if _, err := probe.LoadBlocklists(text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q, for\n%s", err, test.want, text)
		}
	}
}

// TestQuestion has the examples of RFC 5782, sections 2.1, 2.4 and 5.
func TestQuestion(t *testing.T) {
	l := probe.Blocklist{Zone: "bad.example.com"}
	for addr, want := range map[string]string{
		"192.0.2.99":                "99.2.0.192.bad.example.com",
		"2001:db8:1:2:3:4:567:89ab": "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bad.example.com",
		"::ffff:7f00:2":             "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bad.example.com",
	} {
		if got := probe.QuestionTo(l, netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}
