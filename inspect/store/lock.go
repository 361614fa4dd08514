package store

import (
	"errors"
	"fmt"
	"os"
)

// ErrInUse says that another process writes the record in a directory. Two
// writers would take each other's open sessions for those of a dead process.
var ErrInUse = errors.New("another smtp-proxy is recording there: stop it, or name another directory with --data")

// lockFile takes the lock that makes this process the one writer. It lasts
// until the file is closed or the process ends, however it ends.
func lockFile(path string) (*os.File, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the record cannot be locked: %w", err)
	}
	if err := tryLock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
