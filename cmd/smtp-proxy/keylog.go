package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/rs/zerolog"
)

// keyLogVariable is the one that browsers, curl and OpenSSL read, too.
const keyLogVariable = "SSLKEYLOGFILE"

// keyLog takes the TLS secrets of both legs, in the format that Wireshark
// reads (draft-ietf-tls-keylogfile). They go into the owner's file and nowhere
// else.
type keyLog struct {
	file *os.File
	log  zerolog.Logger
	once sync.Once
}

// openKeyLog opens the file that SSLKEYLOGFILE names, where it names one, and
// says what that means.
func (x *plant) openKeyLog() error {
	path, _ := x.env(keyLogVariable)
	if path == "" {
		return nil
	}
	f, err := appendPrivate(path)
	if err != nil {
		return usagef("%s: %w: name a file that can be written, or unset it", keyLogVariable, err)
	}
	x.keys = &keyLog{file: f, log: x.log}
	x.log.Warn().Str("file", path).Msg(keyLogWarning)
	return nil
}

// keyLogWarning is said at each start that has keys written.
const keyLogWarning = keyLogVariable + " is set: the TLS keys of both legs are written to this file, and whoever has it can decrypt a capture " +
	"of these sessions, passwords and mail included; unset it when you are done. TLS that is left end to end (--tls passthrough) gives no keys: they are the app's"

// appendPrivate opens a file to append to. One that it makes is for its owner
// alone, whatever the umask.
func appendPrivate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// writer returns k for crypto/tls, nil where no keys are to be written.
func (k *keyLog) writer() io.Writer {
	if k == nil {
		return nil
	}
	return k
}

// Write implements [io.Writer] for crypto/tls, which fails a handshake whose
// keys cannot be written. No mail is to be lost to a full disk under a
// debugging aid, so it never fails; the log says once that keys are missing.
func (k *keyLog) Write(line []byte) (int, error) {
	if _, err := k.file.Write(line); err != nil {
		k.once.Do(func() {
			k.log.Warn().Err(err).Msg(keyLogVariable + ": keys are missing from the file: sessions from here on cannot be decrypted")
		})
	}
	return len(line), nil
}

func (k *keyLog) close() error {
	if k == nil {
		return nil
	}
	if err := k.file.Close(); err != nil {
		return fmt.Errorf("%s: %w", keyLogVariable, err)
	}
	return nil
}
