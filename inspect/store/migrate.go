package store

import (
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// migrations are applied in the order of their names. A change of the schema
// is a new file; those that are released stay as they are.
//
//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a database as ours (PRAGMA application_id).
const applicationID = 0x534D5450

var errForeign = errors.New("the database belongs to another program")

// migrate brings the schema up to date. Each step is one transaction together
// with its number, so that one cut short starts over.
func migrate(db *sql.DB) error {
	version, err := schemaVersion(db)
	if err != nil {
		return err
	}
	steps, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for i := version; i < len(steps); i++ {
		if err := apply(db, steps[i], i+1); err != nil {
			return fmt.Errorf("%s: %w", steps[i], err)
		}
	}
	return nil
}

// schemaVersion returns the version of a database, 0 for an empty one. It
// refuses one that this program does not understand.
func schemaVersion(db *sql.DB) (int, error) {
	var version, id, tables int
	for query, into := range map[string]*int{
		"PRAGMA user_version":                &version,
		"PRAGMA application_id":              &id,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := db.QueryRow(query).Scan(into); err != nil {
			return 0, err
		}
	}
	steps, err := fs.Glob(migrations, "migrations/*.sql")
	switch {
	case err != nil:
		return 0, err
	case tables > 0 && id != applicationID:
		return 0, errForeign
	case version > len(steps):
		return 0, fmt.Errorf("the record was written by a newer smtp-proxy (schema %d, this one knows %d): use that version, or name another directory with --data", version, len(steps))
	}
	return version, nil
}

func apply(db *sql.DB, name string, version int) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var reached int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&reached); err != nil || reached >= version {
		return err // another process was here first
	}
	if _, err := tx.Exec(strings.TrimSpace(string(script))); err != nil {
		return err
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
