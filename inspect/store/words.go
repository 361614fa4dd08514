package store

import (
	"cmp"
	"database/sql"
	"slices"
	"strings"
)

// How a session is found by a word. The table words says for each word in which
// seconds sessions with it began; who looks for one reads the rows of these
// seconds, and compares. So a word may be a hash, and many sessions of a second
// that have a word in common cost one row.
//
// Words that nearly every session of a route has in common (wide ones) are
// counted by a quarter of a minute: their second is the first of it. Word 0
// stands for a session whose columns hold too little to say what its words are.

const (
	keysPerSecond  int64 = keysPerMicro * 1_000_000
	secondsPerHour int64 = 60 * 60
	wideSeconds          = 16 // an hour has a whole number of them
)

// word is what a session is found by.
type word struct {
	hash int32
	wide bool
}

// anyWord is that of sessions that have too many.
var anyWord = word{}

// widthOf is how many seconds a posting of one of several words stands for at
// most.
func widthOf(list []word) (most int64) {
	most = 1
	for _, w := range list {
		most = max(most, w.width())
	}
	return most
}

// width is how many seconds a posting stands for.
func (w word) width() int64 {
	if w.wide {
		return wideSeconds
	}
	return 1
}

// The kinds of words. One text is another word in each.
const (
	kindLocal    = 'a' // part of the address of a sender or a recipient
	kindDomain   = 'd'
	kindCode     = 'c' // of a refusal: 550, 5.1.1, 5xx
	kindUser     = 'u' // or its local part, when it is an address
	kindRealm    = 'e' // its domain
	kindOutcome  = 'o' // but delivered, which most are
	kindCause    = 'k' // tls.name-mismatch, and tls. for its family
	kindHost     = 'h' // of the upstream: host:port and host, as configured and as dialled
	kindProvider = 'p'
	kindRoute    = 'r'
	kindApp      = 'x' // its HELO name, its host
	kindTLS      = 't' // 1.3, passthrough
)

// wordOf hashes a text in lower case (FNV-1a, folded).
func wordOf(kind byte, text string) word {
	const offset, prime = 14695981039346656037, 1099511628211
	h := (uint64(offset) ^ uint64(kind)) * prime
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	folded := int32(h>>32) ^ int32(h)
	if folded == anyWord.hash {
		folded = 1
	}
	return word{folded, strings.IndexByte("dehprxt", kind) >= 0}
}

// posting says that a session with a word began in a second.
type posting struct {
	at   int64 // seconds since 1970
	word int32
}

func (p posting) compare(o posting) int {
	return cmp.Or(cmp.Compare(p.at/secondsPerHour, o.at/secondsPerHour), cmp.Compare(p.word, o.word), cmp.Compare(p.at, o.at))
}

// maxLately bounds the postings that are remembered.
const maxLately = 1 << 14

// postings are what is to be written of a batch, each once: those that were
// written lately are remembered.
type postings struct {
	fresh  []posting
	lately map[posting]struct{}
	values []any
}

func (p *postings) add(at int64, w word) {
	if w.wide {
		at -= at % wideSeconds
	}
	one := posting{at, w.hash}
	if _, ok := p.lately[one]; ok {
		return
	}
	if len(p.lately) >= maxLately {
		clear(p.lately)
	}
	p.lately[one] = struct{}{}
	p.fresh = append(p.fresh, one)
}

// insertWordsQuery inserts some postings of one hour.
func insertWordsQuery(rows int) string {
	const row = `(?1, ?, ?)`
	return `INSERT OR IGNORE INTO words (hour, word, second) VALUES ` + strings.Repeat(row+", ", rows-1) + row
}

// write inserts what is new, in the order of the table.
func (p *postings) write(tx *sql.Tx, insert [insertSizes]*sql.Stmt) error {
	slices.SortFunc(p.fresh, posting.compare)
	for rest := p.fresh; len(rest) > 0; {
		hour := rest[0].at / secondsPerHour
		n := 1
		for n < len(rest) && rest[n].at/secondsPerHour == hour {
			n++
		}
		if err := p.writeHour(tx, insert, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	p.fresh = p.fresh[:0]
	return nil
}

func (p *postings) writeHour(tx *sql.Tx, insert [insertSizes]*sql.Stmt, rest []posting) error {
	for i, rows := range rowsAtOnce() {
		for ; len(rest) >= rows; rest = rest[rows:] {
			p.values = append(p.values[:0], rest[0].at/secondsPerHour)
			for _, one := range rest[:rows] {
				p.values = append(p.values, one.word, one.at%secondsPerHour)
			}
			if _, err := tx.Stmt(insert[i]).Exec(p.values...); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget makes p write again what was not committed.
func (p *postings) forget() {
	p.fresh = p.fresh[:0]
	clear(p.lately)
}
