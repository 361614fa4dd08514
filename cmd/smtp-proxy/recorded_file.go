package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	captures "smtp-proxy/inspect/capture"
	"smtp-proxy/inspect/store"
)

// A command that takes an ID takes a capture file in its place: an argument
// that is there as a file, or can be no id, and - for standard input. Of
// several sessions in a file the one is named behind it: FILE#ID.

// fileHelp belongs to each command that takes an ID.
const fileHelp = `In place of an ID stands a capture (export --format json): a FILE, FILE#ID for
one of several sessions in it, or - for standard input.`

// captureName is an argument that names a session in a file.
type captureName struct {
	path string // "-" is standard input
	id   string // beginning of the session's id; empty for the only one
}

// captureNamed reports whether an argument names a session in a file. What can
// be an id is one, whatever files there are: ./01JD names a file.
func captureNamed(arg string) (captureName, bool) {
	switch {
	case arg == "-":
		return captureName{path: arg}, true
	case arg == "latest" || arg == "latest-failed" || isIDPrefix(arg):
		return captureName{}, false
	case isFile(arg):
		return captureName{path: arg}, true
	}
	path, id := arg, ""
	if i := strings.LastIndexByte(arg, '#'); i > 0 {
		path, id = arg[:i], arg[i+1:]
	}
	looks := strings.ContainsAny(path, `/`+string(filepath.Separator))
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".jsonl", ".ndjson":
		looks = true
	}
	return captureName{path, id}, looks || path == "-" || isFile(path)
}

// isIDPrefix tells what a ULID may begin with.
func isIDPrefix(s string) bool {
	return s != "" && len(s) <= 26 && s[0] >= '0' && s[0] <= '7' && strings.Trim(strings.ToUpper(s), "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// findInFile reads a session and leaves its messages in the file.
func (p *program) findInFile(ctx context.Context, name captureName) (*recorded, error) {
	in, err := p.openCaptures(ctx, name.path)
	if err != nil {
		return nil, err
	}
	found, err := in.find(name.id)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", in.name, err), in.Close())
	}
	return &recorded{session: found.Session, body: storeBody(found), close: in.Close}, nil
}

// storeBody opens messages of a capture as those of the record are opened.
func storeBody(c *captures.Capture) func(context.Context, int) (io.ReadCloser, error) {
	return func(ctx context.Context, message int) (io.ReadCloser, error) {
		body, err := c.Body(ctx, message)
		if errors.Is(err, captures.ErrNoBody) {
			err = fmt.Errorf("%w in the file of message %d of session %s", store.ErrNoBody, message+1, c.Session.ID)
		}
		return body, err
	}
}
