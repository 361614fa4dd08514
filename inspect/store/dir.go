package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// prepareDir makes the directory, for its owner alone. One that is there is
// used as it is; the warning says when others may look into it.
func prepareDir(dir string) (warning string, err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", fmt.Errorf("the data directory cannot be made: %w", err)
		}
		return "", os.Chmod(dir, 0o700)
	case err != nil:
		return "", fmt.Errorf("the data directory cannot be used: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("%s is no directory: name one with --data", dir)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return fmt.Sprintf("others may look into %s (mode %04o): the record holds mail, so chmod 700 it", dir, info.Mode().Perm()), nil
	}
	return "", nil
}

// prepareFile makes an empty file for its owner alone, whatever the umask, or
// narrows the mode of the one that is there. SQLite gives the files that it
// puts beside a database the database's mode.
func prepareFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the record cannot be written: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm() == 0o600 || runtime.GOOS == "windows" {
		return nil
	}
	return f.Chmod(0o600)
}
