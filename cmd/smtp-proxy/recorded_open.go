package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"smtp-proxy/inspect"
	captures "smtp-proxy/inspect/capture"
)

// captureFile is a file of captures that is being read.
type captureFile struct {
	*captures.File
	name string   // for a person
	file *os.File // where messages are read from
	pipe *os.File // what is spooled into it; nil when it is the file itself, or standard input
}

// openCaptures opens a file, or what comes through a pipe: that goes, as it is
// read, into a file for this user alone.
func (p *program) openCaptures(ctx context.Context, path string) (*captureFile, error) {
	if path == "-" {
		return p.spool(&captureFile{name: "standard input"}, untilDone{ctx, p.stdin})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: name a file that smtp-proxy export --format json has written", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case info.IsDir():
		return nil, errors.Join(fmt.Errorf("%s is a directory: name a file in it", path), f.Close())
	case !info.Mode().IsRegular():
		return p.spool(&captureFile{name: path, pipe: f}, untilDone{ctx, f})
	}
	return &captureFile{captures.NewFile(untilDone{ctx, f}, f, p.now()), path, f, nil}, nil
}

// untilDone reads until its context ends: a large file is read for long.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

// spool keeps what comes through a pipe. Where the system allows it, the file
// loses its name at once: whatever ends this process, nothing is left of it.
func (p *program) spool(c *captureFile, in io.Reader) (_ *captureFile, err error) {
	if c.file, err = os.CreateTemp("", "smtp-proxy-*.jsonl"); err != nil {
		return nil, errors.Join(fmt.Errorf("%s cannot be kept while it is read: %w", c.name, err), c.Close())
	}
	os.Remove(c.file.Name()) // else Close removes it
	c.File = captures.NewFile(io.TeeReader(in, c.file), c.file, p.now())
	return c, nil
}

// Close closes the file, and removes it when it is not the user's own.
func (c *captureFile) Close() error {
	var errs []error
	spooled := c.pipe != nil || c.name == "standard input"
	if c.file != nil {
		errs = append(errs, c.file.Close())
	}
	if c.file != nil && spooled {
		os.Remove(c.file.Name())
	}
	if c.pipe != nil {
		errs = append(errs, c.pipe.Close())
	}
	return errors.Join(errs...)
}

// listedAtMost is how many sessions of a file an error names.
const listedAtMost = 10

// find reads the file through and returns the session whose id begins so, or
// the only one.
func (c *captureFile) find(id string) (*captures.Capture, error) {
	var found *captures.Capture
	var ids []string
	matches, sessions := 0, 0
	for {
		one, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if sessions++; sessions <= listedAtMost {
			ids = append(ids, one.Session.ID)
		}
		if strings.HasPrefix(one.Session.ID, strings.ToUpper(id)) {
			found = one
			matches++
		}
	}
	if sessions > listedAtMost {
		ids = append(ids, "…")
	}
	switch list := strings.Join(ids, ", "); {
	case sessions == 0:
		return nil, errors.New("it holds no session: name a file that smtp-proxy export --format json has written")
	case matches == 0:
		return nil, fmt.Errorf("no session in it begins with %q: it holds %s", id, list)
	case matches > 1:
		return nil, fmt.Errorf("it holds %s: name one of them with FILE#ID, of %s", inspect.Count(sessions, "session"), list)
	}
	return found, nil
}
