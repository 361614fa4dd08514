package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// Why the locks stay closed.
var (
	errLocked = problem{http.StatusUnauthorized, "a user and a password are asked for", "those of the file that --http-auth names"}
	errTries  = problem{http.StatusTooManyRequests, "too many passwords of this address are being tried", "wait a moment, and try again"}
)

// Bounds of passwords that are tried: each takes a processor for a while.
const (
	mostAtOnce = 2
	mostTries  = 8 // of one address, those under way and those that wait
)

// locks knows who may come in. A password that was right once is recognised by
// its hash: bcrypt is slow, and a page makes many requests. So a flood of wrong
// ones keeps nobody out who is in, and leaves other addresses their turn.
type locks struct {
	users  map[string][]byte
	names  []string // of the users
	salt   [32]byte
	atOnce chan struct{}

	mu      sync.Mutex
	seen    map[[sha256.Size]byte]bool
	waiting map[netip.Prefix]int
}

func newLocks(users map[string][]byte) *locks {
	l := &locks{
		users: users, names: slices.Sorted(maps.Keys(users)), atOnce: make(chan struct{}, mostAtOnce),
		seen: map[[sha256.Size]byte]bool{}, waiting: map[netip.Prefix]int{},
	}
	_, _ = rand.Read(l.salt[:]) // it never fails (crypto/rand)
	return l
}

// open says why a request may not come in.
func (l *locks) open(r *http.Request) error {
	if len(l.users) == 0 {
		return nil
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return errLocked
	}
	key, from := l.salted(user+"\x00"+password), networkOf(r.RemoteAddr)
	known, turn := l.begin(key, from)
	switch {
	case known:
		return nil
	case !turn:
		return errTries
	}
	right := l.try(r, user, password)
	l.end(key, from, right)
	if !right {
		return errLocked
	}
	return nil
}

func (l *locks) salted(text string) [sha256.Size]byte {
	return sha256.Sum256([]byte(string(l.salt[:]) + text))
}

// networkOf is whose tries are counted together: an address, or of IPv6 the
// network that a host may have to itself (RFC 6177).
func networkOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	bits, addr := 64, at.Addr().Unmap()
	if addr.Is4() {
		bits = 32
	}
	network, _ := addr.Prefix(bits) // there are as many bits
	return network
}

// begin reports whether a password is known to be right, else whether it may
// be tried; then end must follow.
func (l *locks) begin(key [sha256.Size]byte, from netip.Prefix) (known, turn bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[key] {
		return true, false
	}
	if l.waiting[from] >= mostTries {
		return false, false
	}
	l.waiting[from]++
	return false, true
}

func (l *locks) end(key [sha256.Size]byte, from netip.Prefix, right bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if right {
		l.seen[key] = true
	}
	if l.waiting[from]--; l.waiting[from] == 0 {
		delete(l.waiting, from)
	}
}

// try compares with bcrypt, also for a user who is not known: how long it takes
// tells nobody who is.
func (l *locks) try(r *http.Request, user, password string) bool {
	select {
	case l.atOnce <- struct{}{}:
		defer func() { <-l.atOnce }()
	case <-r.Context().Done():
		return false
	}
	hash, known := l.hashOf(user)
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && known
}

// hashOf is the hash of a user's password; for one who is not known that of
// another, the same each time, as hashes may take differently long.
func (l *locks) hashOf(user string) (hash []byte, known bool) {
	if hash, known = l.users[user]; known {
		return hash, true
	}
	key := l.salted(user)
	return l.users[l.names[binary.BigEndian.Uint64(key[:])%uint64(len(l.names))]], false
}
