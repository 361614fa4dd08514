package store

import (
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// where is the part of a filter that the database can judge. It lets through
// every session that the filter selects, and some that it does not.
type where struct {
	sql  string
	args []any
}

func whereOf(f inspect.Filter, now time.Time) where {
	w := where{sql: "1"}
	for _, t := range f.Terms() {
		switch {
		case exactInSQL(t):
			w.cause(t)
		case !t.Not: // else a column may hold less than the session
			w.term(t, now)
		}
	}
	return w
}

// exactInSQL reports whether the database can judge a word for good.
func exactInSQL(t inspect.Term) bool {
	return t.Key == "cause" && strings.IndexFunc(t.Value, func(r rune) bool { return r > '~' }) < 0
}

func (w *where) and(sql string, args ...any) {
	w.sql += " AND " + sql
	w.args = append(w.args, args...)
}

func (w *where) term(t inspect.Term, now time.Time) {
	like := likeOf(t.Value)
	switch t.Key {
	case "since":
		w.and("key >= ?", keyAt(t.Moment(now)))
	case "before":
		w.and("key < ?", keyAt(t.Moment(now).Add(time.Microsecond)))
	case "id":
		w.and(`id LIKE ? ESCAPE '\'`, like+"%")
	case "outcome", "route", "provider":
		w.and(t.Key+` LIKE ? ESCAPE '\'`, like)
	case "upstream": // the address that answered is no column
		if !strings.ContainsAny(t.Value, "0123456789:*") {
			w.and(`upstream LIKE ? ESCAPE '\'`, like+"%")
		}
	case "user":
		w.and(`username LIKE ? ESCAPE '\'`, "%"+like+"%")
	case "from", "to":
		w.and(`(mail IS NULL OR mail LIKE ? ESCAPE '\')`, "%"+like+"%")
	case "cause":
		w.cause(t)
	case "code":
		w.code(t.Value, like)
	}
}

func (w *where) cause(t inspect.Term) {
	const found = `failed = 1 AND EXISTS (SELECT 1 FROM findings WHERE session = key AND cause LIKE ? ESCAPE '\')`
	if t.Not {
		w.and("NOT ("+found+")", likeOf(t.Value))
	} else {
		w.and(found, likeOf(t.Value))
	}
}

// code narrows down by refusals; the codes of good replies are no column.
func (w *where) code(value, like string) {
	if refusal(value) {
		w.and(`(codes IS NULL OR codes LIKE ? ESCAPE '\')`, "%"+strings.ReplaceAll(like, "xx", "%")+"%")
	}
}

func refusal(code string) bool { return code[0] == '4' || code[0] == '5' }

// likeOf writes a pattern for LIKE, which knows no case in ASCII only: any
// other letter may be anything.
func likeOf(pattern string) string {
	var b strings.Builder
	for _, r := range pattern {
		switch {
		case r == '*' || r > '~':
			b.WriteByte('%')
		case r == '%' || r == '_' || r == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
