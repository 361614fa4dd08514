package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// How the octets of an imported session's messages are made ready. Those of
// small messages wait in memory for their block. A message that is larger, or
// comes when there is much in memory already, goes into a file at once, in a
// directory that no reader knows: the database is not held meanwhile, however
// slowly they come. The transaction then moves the files to their places.
const (
	stageAlone = 256 << 10 // octets of a message in memory
	stageInSum = 8 << 20   // octets of all of them
)

// stagePrefix begins the names of directories in which files wait.
const stagePrefix = "incoming-"

// stage is the directory of one guest. Its lock says that the guest lives.
type stage struct {
	dir   string // empty until it is needed
	lock  *os.File
	files int // so far
}

// create makes a file that waits, for its owner alone.
func (g *stage) create(bodies bodyFiles) (*os.File, error) {
	if g.dir == "" {
		if err := g.open(bodies); err != nil {
			return nil, err
		}
	}
	g.files++
	return os.OpenFile(filepath.Join(g.dir, strconv.Itoa(g.files)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

func (g *stage) open(bodies bodyFiles) (err error) {
	if _, err := prepareDir(bodies.dir); err != nil {
		return err
	}
	if g.dir, err = os.MkdirTemp(bodies.dir, stagePrefix); err != nil {
		return err
	}
	g.lock, err = lockFile(filepath.Join(g.dir, "lock"))
	return err
}

func (g *stage) close() error {
	if g.dir == "" {
		return nil
	}
	if g.lock != nil {
		g.lock.Close()
	}
	dir := g.dir
	*g = stage{}
	return os.RemoveAll(dir)
}

// sweepStage removes the directory of a guest that is dead.
func sweepStage(dir string) {
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return
	}
	lock.Close()
	os.RemoveAll(dir) // what stays is for the next start
}

// staging is the messages of one session on their way.
type staging struct {
	in     *stage
	bodies bodyFiles
	to     *kept
	held   int // octets in memory
	staged []*stagedFile
}

// stagedFile is a message in a file of its own, from its first octet.
type stagedFile struct {
	message int
	size    int64
	path    string
}

func (l *staging) messages(ctx context.Context, n int, body Body) error {
	for message := range n {
		in, err := body(ctx, message)
		if errors.Is(err, ErrNoBody) {
			continue
		}
		if err == nil {
			err = errors.Join(l.message(ctx, message, in), in.Close())
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", message+1, err)
		}
	}
	return nil
}

func (l *staging) message(ctx context.Context, message int, in io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(in, stageAlone+1))
	if err != nil {
		return err
	}
	if len(head) <= stageAlone && l.held+len(head) <= stageInSum {
		l.held += len(head)
		l.to.bodies = append(l.to.bodies, piece{message: message, data: head})
		return nil
	}
	out, err := l.in.create(l.bodies)
	if err != nil {
		return err
	}
	f := &stagedFile{message: message, path: out.Name()}
	l.staged = append(l.staged, f)
	return errors.Join(f.fill(ctx, out, io.MultiReader(bytes.NewReader(head), in)), out.Close())
}

func (f *stagedFile) fill(ctx context.Context, out io.Writer, in io.Reader) error {
	for buf := make([]byte, 64<<10); ctx.Err() == nil; {
		n, err := in.Read(buf)
		wrote, writeErr := out.Write(buf[:n])
		f.size += int64(wrote)
		switch {
		case writeErr != nil:
			return writeErr
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return ctx.Err()
}

// publish gives the file its place. It is taken back when the session is not
// committed.
func (f *stagedFile) publish(path string) error {
	err := os.Rename(f.path, path)
	if err == nil {
		f.path = path
	}
	return err
}

// discard removes what was not committed.
func (l *staging) discard() {
	for _, f := range l.staged {
		os.Remove(f.path)
	}
}
