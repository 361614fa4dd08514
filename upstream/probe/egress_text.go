package probe

import (
	"net/netip"
	"strings"
)

// The bounds of looking for addresses in a reply.
const (
	maxScanned  = 4 << 10 // octets
	maxMentions = 16
	maxLiteral  = 48 // octets of an address, with a port
	maxBefore   = 96
)

// mention is an address that stands in a text.
type mention struct {
	addr    netip.Addr
	literal string // as it stands there
	before  string // what stands in front of it, in lower case
}

// mentionsIn lists the addresses in a text, in their order: in brackets, after
// "IPv6:" (RFC 5321, section 4.1.3), in a URL or bare, but never a part of a
// longer word.
func mentionsIn(text string) (found []mention) {
	text = text[:min(len(text), maxScanned)]
	for i := 0; i < len(text) && len(found) < maxMentions; {
		if !startsWord(text, i) {
			i++
			continue
		}
		start := i
		if len(text)-i > 5 && strings.EqualFold(text[i:i+5], "ipv6:") {
			start += 5
		}
		end := start
		for end < len(text) && ofAddress(text[end]) {
			end++
		}
		if end == start {
			i++
			continue
		}
		if literal, addr, ok := addressIn(text[start:end]); ok && endsWord(text, end) {
			found = append(found, mention{addr, literal, strings.ToLower(text[max(0, i-maxBefore):i])})
		}
		i = end
	}
	return found
}

// startsWord reports whether a word can begin at i.
func startsWord(text string, i int) bool {
	return ofAddress(text[i]) && text[i] != '.' && (i == 0 || !ofWord(text[i-1])) ||
		(text[i] == 'I' || text[i] == 'i') && (i == 0 || !ofWord(text[i-1]))
}

func endsWord(text string, end int) bool { return end == len(text) || !ofWord(text[end]) }

func ofAddress(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '.' || c == ':'
}

func ofWord(c byte) bool {
	return ofAddress(c) && c != ':' || c >= 'g' && c <= 'z' || c >= 'G' && c <= 'Z' || c == '-' || c == '_' || c >= 0x80
}

// addressIn reads a run of characters as an address, leaving out a port and the
// full stop or colon of a sentence.
func addressIn(run string) (literal string, addr netip.Addr, ok bool) {
	run = strings.TrimRight(run, ".")
	if len(run) > maxLiteral {
		return "", addr, false
	}
	for _, literal := range []string{run, strings.TrimSuffix(run, ":"), beforePort(run)} {
		if addr, err := netip.ParseAddr(literal); err == nil {
			return literal, addr.Unmap(), true
		}
	}
	return "", addr, false
}

func beforePort(run string) string {
	host, _, _ := strings.Cut(run, ":")
	return host
}

// accused reports whether the words in front of an address make it that of the
// machine that is refused: "client host [203.0.113.5]", "banned sending IP
// 203.0.113.5", or the end of a link to the reason.
func (m mention) accused() bool {
	if strings.HasSuffix(m.before, "=") || strings.HasSuffix(m.before, "?") || strings.HasSuffix(m.before, "/ip/") {
		return strings.Contains(m.before, "//") || strings.HasSuffix(m.before, "ip=")
	}
	before := strings.TrimRight(m.before, " ([<\"'")
	for _, word := range []string{"client", "client:", "host", "ip", "ip:", "address", "address:", "your", "from", "sender", "cannot find your hostname,"} {
		if rest, ok := strings.CutSuffix(before, word); ok && (rest == "" || !ofWord(rest[len(rest)-1])) {
			return true
		}
	}
	// Gmail: "[203.0.113.5      19] Our system has detected", right behind the
	// codes.
	return strings.HasSuffix(m.before, "[") && strings.Trim(before, "0123456789.- \n") == ""
}
