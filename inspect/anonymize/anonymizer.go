package anonymize

import (
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"math/rand/v2"
	"net/netip"
	"strings"
	"unicode"
)

// Anonymizer holds the key of one export and what has been seen in it. It is
// for one goroutine.
type Anonymizer struct {
	key    []byte
	public map[string]bool // domains that stay, with all below them
	common map[string]bool // words that replies are made of

	words    map[string]bool       // seen as a part of somebody's name, folded
	phrases  map[string][]string   // subjects seen, folded, by their first words
	hosts    map[string]bool       // seen as a host of a peer, in lower case
	taken    map[string]string     // whose a stand-in is, so that no two share one
	given    map[string]string     // the stand-ins
	settled  map[string]string     // texts as they were replaced in this reading of a session
	v4       map[netip.Addr]uint32 // the numbers of addresses
	usedV4   map[uint32]bool
	upstream string // the smarthost's name, which stays
}

// New returns an Anonymizer with a key of its own.
func New() *Anonymizer {
	key := make([]byte, 32)
	_, _ = crand.Read(key) // which never fails
	return &Anonymizer{
		key: key, public: listed(publicFile), common: listed(commonFile),
		words: map[string]bool{}, phrases: map[string][]string{}, hosts: map[string]bool{},
		taken: map[string]string{}, given: map[string]string{}, v4: map[netip.Addr]uint32{}, usedV4: map[uint32]bool{},
	}
}

// Keep names domains that stay as they are, with all names below them.
func (a *Anonymizer) Keep(domains ...string) {
	for _, d := range domains {
		a.public[strings.ToLower(strings.Trim(d, "."))] = true
	}
}

// stream returns the random numbers that belong to a value.
func (a *Anonymizer) stream(kind, value string, try int) *stream {
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte{byte(try), byte(try >> 8)})
	mac.Write([]byte(kind + "\x00" + value))
	return &stream{rand.NewChaCha8([32]byte(mac.Sum(nil)))}
}

// mostTaken bounds what is remembered of stand-ins; beyond it two values may
// come to share one.
const mostTaken = 200_000

// unique makes a stand-in that no other value has.
func (a *Anonymizer) unique(kind, value string, make func(*stream) string) string {
	key := kind + "\x00" + value
	if out, ok := a.given[key]; ok {
		return out
	}
	out := ""
	for try := range mostTries {
		out = make(a.stream(kind, value, try))
		if _, taken := a.taken[kind+"\x00"+out]; !taken && (out != value || !hasLetter(value)) {
			break
		}
	}
	if len(a.given) < mostTaken {
		a.given[key], a.taken[kind+"\x00"+out] = out, value
	}
	return out
}

// mostTries is how often another stand-in is tried: of single letters there
// are not enough.
const mostTries = 50

func hasLetter(s string) bool { return strings.IndexFunc(s, unicode.IsLetter) >= 0 }

func listed(file string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all[line] = true
		}
	}
	return all
}
