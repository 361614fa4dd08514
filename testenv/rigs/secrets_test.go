//go:build rigs

package rigs_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite"
)

// needles are the forms in which a planted secret could be found, each with
// the name that a failure shows instead of it.
func needles() map[string][]byte {
	all := map[string][]byte{
		// The first half of a CRAM-MD5 answer is the same each time.
		"a CRAM-MD5 answer": []byte(base64.StdEncoding.EncodeToString([]byte(account + " "))[:16]),
	}
	for name, secret := range map[string]string{"the password": password, "the wrong password": wrongPassword, "the token": token} {
		all[name] = []byte(secret)
		all[name+" in hexadecimal"] = []byte(hex.EncodeToString([]byte(secret)))
		for shift := range 3 {
			all[name+" in base64, shifted by "+string('0'+rune(shift))] = inBase64(secret, shift)
		}
		all["the PLAIN answer with "+name] = []byte(base64.StdEncoding.EncodeToString([]byte("\x00" + account + "\x00" + secret)))
	}
	return all
}

// inBase64 returns the characters that are the same in every base64 text that
// holds secret behind shift octets, modulo 3.
func inBase64(secret string, shift int) []byte {
	text := base64.RawStdEncoding.EncodeToString([]byte("???"[:shift] + secret))
	return []byte(text[(shift*8+5)/6 : len(text)-2])
}

// checkSecrets looks for planted secrets in everything that a proxy has left:
// its files, its log, the rows of its database unpacked, and what the reading
// commands print.
func checkSecrets(t *testing.T, p *proxy) {
	n := needles()
	files := 0
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		seek(t, n, filepath.Base(path), text)
		files++
		return err
	})
	must(t, err)
	if files < 2 {
		t.Errorf("got %d files below %s, want the log and a database at least", files, p.dir)
	}
	seek(t, n, "sessions --json", p.ask(t, "sessions", "--json"))
	for _, r := range p.sessions(t) {
		seek(t, n, "show --json", p.ask(t, "show", "--json", r.ID))
		seek(t, n, "show", p.ask(t, "show", r.ID))
	}
	if rows := seekRows(t, n, p.data); rows == 0 {
		t.Error("got no row in the database: nothing was checked")
	}
}

// hits counts the needles in text.
func hits(text []byte) (n int) {
	for _, needle := range needles() {
		if bytes.Contains(text, needle) {
			n++
		}
	}
	return n
}

func seek(t *testing.T, needles map[string][]byte, where string, text []byte) {
	t.Helper()
	for name, needle := range needles {
		if bytes.Contains(text, needle) {
			t.Errorf("%s holds %s, want it nowhere", where, name)
		}
	}
}

// seekRows reads every value of every table, unpacked where it is packed.
func seekRows(t *testing.T, needles map[string][]byte, data string) int {
	t.Helper()
	databases, err := filepath.Glob(filepath.Join(data, "*.db"))
	must(t, err)
	rows := 0
	for _, file := range databases {
		db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
		must(t, err)
		for _, table := range column(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
			rows += seekTable(t, needles, db, string(table))
		}
		must(t, db.Close())
	}
	return rows
}

func seekTable(t *testing.T, needles map[string][]byte, db *sql.DB, table string) int {
	t.Helper()
	rows := 0
	for _, name := range column(t, db, `SELECT name FROM pragma_table_info('`+table+`')`) {
		for _, value := range column(t, db, `SELECT CAST("`+string(name)+`" AS BLOB) FROM "`+table+`"`) {
			seek(t, needles, table+"."+string(name), value)
			seek(t, needles, table+"."+string(name)+", unpacked", unpack(value))
			rows++
		}
	}
	return rows
}

func column(t *testing.T, db *sql.DB, query string) [][]byte {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer rows.Close()
	var all [][]byte
	for rows.Next() {
		var v []byte
		must(t, rows.Scan(&v))
		all = append(all, v)
	}
	must(t, rows.Err())
	return all
}

// unpack returns what a zstd frame holds, nothing for other values.
func unpack(value []byte) []byte {
	d, err := zstd.NewReader(nil)
	if err != nil {
		return nil
	}
	defer d.Close()
	text, err := d.DecodeAll(value, nil)
	if err != nil {
		return nil
	}
	return text
}
