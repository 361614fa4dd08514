package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// place is where a session stands.
type place struct{ key, block int64 }

// row is what the table says of a session.
type row struct {
	place
	failed                                       bool
	outcome, route, upstream, provider, username string
	codes, mail                                  sql.NullString
}

// The columns of a row, and those of one that is only to be found: text costs
// more than the rest.
const (
	rowColumns   = `key, block, failed, outcome, route, upstream, provider, username, codes, mail`
	placeColumns = `key, block, failed, '', '', '', '', '', '', ''`
)

// judgesRows reports whether a row has anything to say to a filter beyond what
// the database has judged.
func judgesRows(f inspect.Filter) bool {
	for _, t := range f.Terms() {
		switch t.Key {
		case "", "id", "app", "subject", "tls", "since", "before", "cause":
		default:
			return true
		}
	}
	return false
}

func rowsOf(ctx context.Context, db *sql.DB, query string, args ...any) ([]row, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.key, &r.block, &r.failed, &r.outcome, &r.route, &r.upstream, &r.provider, &r.username, &r.codes, &r.mail); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// verdict is what a row says to a filter. The summary has the last word where
// the row is not sure.
type verdict int

const (
	no verdict = iota
	maybe
	yes
)

func sure(holds bool) verdict {
	if holds {
		return yes
	}
	return no
}

// judge compares a row that [whereOf] has let through with a filter.
func (r *row) judge(f inspect.Filter) verdict {
	all := yes
	for _, t := range f.Terms() {
		if exactInSQL(t) {
			continue
		}
		v := r.holds(t)
		if t.Not {
			v = yes - v
		}
		all = min(all, v)
	}
	return all
}

func (r *row) holds(t inspect.Term) verdict {
	switch t.Key {
	case "since", "before":
		return r.began(t)
	case "outcome":
		return sure(t.Is(r.outcome))
	case "route":
		return sure(t.Is(r.route))
	case "provider":
		return sure(t.Is(r.provider))
	case "user":
		if r.username == "" && t.IsAddress("") { // there may have been no AUTH
			return maybe
		}
		return sure(t.IsAddress(r.username))
	case "upstream":
		if t.IsHost(r.upstream) {
			return yes
		}
	case "cause":
		if !r.failed {
			return no
		}
	case "from", "to":
		return r.mentions(t)
	case "code":
		return r.refused(t)
	}
	return maybe
}

// began compares the start, of which the key says the microsecond. Guests may
// have been given a later one.
func (r *row) began(t inspect.Term) verdict {
	micro, moment := r.key/keysPerMicro, t.Moment(time.Time{}).UnixMicro()
	if micro == moment || micro == 0 || r.key%keysPerMicro >= keysPerMicro-keysOfGuests {
		return maybe
	}
	return sure(micro > moment == (t.Key == "since"))
}

// mentions looks for an address. Rows of before schema 4 do not say which are
// senders.
func (r *row) mentions(t inspect.Term) verdict {
	if !r.mail.Valid || r.mail.String == "" && t.IsAddress("") {
		return maybe
	}
	marked, found := strings.HasPrefix(r.mail.String, senderMark), false
	for line := range strings.SplitSeq(r.mail.String, "\n") {
		addr, sender := strings.CutPrefix(line, senderMark)
		found = found || (!marked || sender == (t.Key == "from")) && t.IsAddress(addr)
	}
	if found && !marked {
		return maybe
	}
	return sure(found)
}

// refused looks for the code of a refusal; those of good replies are no column.
func (r *row) refused(t inspect.Term) verdict {
	if !r.codes.Valid || !refusal(t.Value) {
		return maybe
	}
	for line := range strings.SplitSeq(r.codes.String, "\n") {
		if line != "" && t.IsCode(line) {
			return yes
		}
	}
	return no
}
