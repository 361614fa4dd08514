package upstream

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
)

// The bounds of the memory of judgements: how many, and for how long one holds
// at most. A minute spares a busy app nearly all of the work, and no judgement
// is older than what a person would call now.
const (
	maxJudged = 256
	judgedFor = time.Minute
)

// judgements remembers what chains were found to be. An app that opens a session
// for each message is shown the same chain each time; to verify it anew would
// cost more than to carry the session.
type judgements struct {
	mu   sync.Mutex
	seen map[judgedKey]judgement
}

// judgedKey is a digest of the host, the chain as sent and the OCSP answer.
type judgedKey [sha256.Size]byte

// judgement is what was found, and until when that holds.
type judgement struct {
	facts session.TLS
	until time.Time
}

func newJudgements() *judgements { return &judgements{seen: map[judgedKey]judgement{}} }

func keyOfJudgement(host string, sent [][]byte, staple []byte) (key judgedKey) {
	h := sha256.New()
	part := func(b []byte) {
		n := len(b)
		h.Write([]byte{byte(n >> 16), byte(n >> 8), byte(n)}) // so that no two splits are alike
		h.Write(b)
	}
	part([]byte(host))
	part(staple)
	for _, der := range sent {
		part(der)
	}
	h.Sum(key[:0])
	return key
}

// recall fills in what was found, if that still holds, and reports whether it
// did.
func (j *judgements) recall(key judgedKey, now time.Time, facts *session.TLS) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	last, ok := j.seen[key]
	if !ok || !now.Before(last.until) {
		return false
	}
	copyJudgement(facts, &last.facts)
	return true
}

// keep remembers what was found of a chain at a moment. It holds no longer than
// the dates of the chain stay on the same side of now.
func (j *judgements) keep(key judgedKey, now time.Time, chain []*x509.Certificate, facts *session.TLS) {
	new := judgement{until: now.Add(judgedFor)}
	copyJudgement(&new.facts, facts)
	for _, c := range chain {
		for _, date := range []time.Time{c.NotBefore, c.NotAfter} {
			if !date.Before(now) && date.Before(new.until) {
				new.until = date
			}
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for other := range j.seen {
		if len(j.seen) < maxJudged {
			break
		}
		delete(j.seen, other)
	}
	j.seen[key] = new
}

// copyJudgement copies what Judge fills in.
func copyJudgement(to, from *session.TLS) {
	to.Chain, to.Path = from.Chain, from.Path
	to.Verified, to.Verify, to.Error = from.Verified, from.Verify, from.Error
	to.Stapled, to.RootHint, to.Interceptor = from.Stapled, from.RootHint, from.Interceptor
}
