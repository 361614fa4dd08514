package store

import "strings"

// insertSizes is how many statements there are that insert rows.
const insertSizes = 3

// rowsAtOnce is how many rows each of them inserts, the most first: what a
// statement costs beyond its rows is as much as a row.
func rowsAtOnce() [insertSizes]int { return [...]int{64, 8, 1} }

// The values of a statement that inserts: those that all its rows share, and
// behind them those of each row.
const (
	valuesShared = 7
	valuesEach   = 5
)

// insertQuery inserts some rows that share what is alike.
func insertQuery(rows int) string {
	const row = `(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?, ?, ?, ?, ?)`
	return `INSERT OR IGNORE INTO sessions (outcome, failed, route, upstream, provider, username, codes, key, id, ended, mail, block) VALUES ` +
		strings.Repeat(row+", ", rows-1) + row
}

// freshRows are the values of rows that wait to be inserted together.
type freshRows struct {
	alike  alike
	values []any
}

func newFreshRows(a alike) *freshRows {
	return &freshRows{a, []any{a.outcome, a.failed, a.route, a.upstream, a.provider, a.username, a.codes}}
}

func (f *freshRows) waiting() int { return (len(f.values) - valuesShared) / valuesEach }

// insert has a row inserted with others that are alike.
func (w *batch) insert(a alike, own ...any) error {
	f := w.lately
	if f == nil || f.alike != a {
		if f = w.fresh[a]; f == nil {
			f = newFreshRows(a)
			w.fresh[a] = f
		}
		w.lately = f
	}
	f.values = append(f.values, own...)
	if f.waiting() < rowsAtOnce()[0] {
		return nil
	}
	return w.insertFresh(f)
}

// insertAll inserts the rows that still wait.
func (w *batch) insertAll() error {
	for _, f := range w.fresh {
		if err := w.insertFresh(f); err != nil {
			return err
		}
	}
	return nil
}

// insertFresh inserts rows that wait, and forgets them.
func (w *batch) insertFresh(f *freshRows) error {
	rest := f.values
	for i, rows := range rowsAtOnce() {
		own := rows * valuesEach
		for ; len(rest) >= valuesShared+own; rest = rest[own:] {
			if _, err := w.tx.Stmt(w.stmts.insert[i]).Exec(rest[:valuesShared+own]...); err != nil {
				return err
			}
			copy(rest[own:], rest[:valuesShared]) // in front of the next row, over those that are done
		}
	}
	f.values = append(f.values[:0], rest...)
	return nil
}
