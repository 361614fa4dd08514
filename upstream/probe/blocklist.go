package probe

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed blocklists.toml
var blocklistsFile string

// weight says what a listing means for mail; blocklists.toml explains the words.
type weight string

const (
	weightMajor  weight = "major"
	weightMinor  weight = "minor"
	weightPolicy weight = "policy"
)

// order ranks weights by how likely mail is refused for a listing; no weight
// comes lowest.
func (w weight) order() int {
	return slices.Index([]weight{weightMinor, weightPolicy, weightMajor}, w)
}

// blocklist is one DNS blocklist of addresses, as blocklists.toml has it.
type blocklist struct {
	Zone     string                `toml:"zone"`
	Name     string                `toml:"name"`
	Page     string                `toml:"page"`
	IPv6     bool                  `toml:"ipv6"`
	Listed   netip.Addr            `toml:"listed"`
	Clear    netip.Addr            `toml:"clear"`
	Weight   weight                `toml:"weight"`
	Codes    map[string]returnCode `toml:"codes"`    // by the address in an answer
	Refusals map[string]string     `toml:"refusals"` // likewise
	Source   string                `toml:"source"`
}

// returnCode is what one address in an answer stands for.
type returnCode struct {
	Means  string `toml:"means"`
	Weight weight `toml:"weight"`
}

// testPoints returns the addresses that RFC 5782, section 5, has every list
// hold, and every list lack.
func testPoints() (listed, clear netip.Addr) {
	return netip.AddrFrom4([4]byte{127, 0, 0, 2}), netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// loadBlocklists reads the data, and reports all mistakes in it together.
func loadBlocklists(text string) ([]blocklist, error) {
	var file struct {
		List []blocklist `toml:"list"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return nil, fmt.Errorf("blocklists.toml: %w", err)
	}
	var errs []error
	for _, key := range meta.Undecoded() {
		errs = append(errs, fmt.Errorf("blocklists.toml: unknown key %s", key))
	}
	for i := range file.List {
		l := &file.List[i]
		l.complete()
		if err := l.check(); err != nil {
			errs = append(errs, fmt.Errorf("blocklists.toml: list %q: %w", l.Zone, err))
		}
	}
	return file.List, errors.Join(errs...)
}

// complete fills in what is mostly the same.
func (l *blocklist) complete() {
	listed, clear := testPoints()
	if !l.Listed.IsValid() {
		l.Listed = listed
	}
	if !l.Clear.IsValid() {
		l.Clear = clear
	}
	for code, c := range l.Codes {
		if c.Weight == "" {
			c.Weight = l.Weight
			l.Codes[code] = c
		}
	}
}

func (l *blocklist) check() error {
	weights := []weight{weightMajor, weightMinor, weightPolicy}
	if !strings.Contains(strings.Trim(l.Zone, "."), ".") || l.Name == "" || !strings.HasPrefix(l.Page, "https://") || len(l.Codes) == 0 {
		return errors.New("needs zone, name, page and codes")
	}
	if !slices.Contains(weights, l.Weight) {
		return fmt.Errorf("weight is %q: use major, minor or policy", l.Weight)
	}
	for code, c := range l.Codes {
		if !isCode(code) || c.Means == "" || !slices.Contains(weights, c.Weight) {
			return fmt.Errorf("code %s needs an address in 127.0.0.0/8, a meaning and a known weight", code)
		}
	}
	for code, means := range l.Refusals {
		if !isCode(code) || means == "" {
			return fmt.Errorf("refusal %s needs an address in 127.0.0.0/8 and a meaning", code)
		}
	}
	return nil
}

// question is the name under which a list has an address: its octets, or the
// nibbles of IPv6, reversed in front of the zone (RFC 5782, sections 2.1 and
// 2.4).
func (l *blocklist) question(addr netip.Addr) string {
	var b strings.Builder
	for _, octet := range slices.Backward(addr.AsSlice()) {
		if addr.Is4() {
			fmt.Fprintf(&b, "%d.", octet)
		} else {
			fmt.Fprintf(&b, "%x.%x.", octet&15, octet>>4)
		}
	}
	return b.String() + l.Zone
}

// never returns the test point that the list must not have, in the family of
// an address. That of IPv6 is written like an IPv4 address that is mapped.
func (l *blocklist) never(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		return netip.AddrFrom16(l.Clear.As16())
	}
	return l.Clear
}

// page returns where a listing of addr is looked up.
func (l *blocklist) page(addr netip.Addr) string {
	return strings.ReplaceAll(l.Page, "{ip}", addr.String())
}

// isCode reports whether an address can be a list's answer (RFC 5782, section
// 2.1).
func isCode(addr string) bool {
	a, err := netip.ParseAddr(addr)
	return err == nil && a.Is4() && a.IsLoopback()
}
