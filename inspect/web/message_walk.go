package web

import (
	"bufio"
	"errors"
	"io"
	"mime/multipart"
	"strings"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"

	"smtp-proxy/inspect"
)

// What is read of a message, so that none costs more than a moment. The whole
// of it can always be downloaded.
const (
	mostHeader = 256 << 10 // octets
	mostParts  = 200
	mostDepth  = 20 // multiparts within each other
	mostRead   = 64 << 20
)

// errEnough ends a walk that has what it wants.
var errEnough = errors.New("enough of the message was read")

// walker takes a message apart (RFC 2045, RFC 2046) while it is read. It hands
// out the parts that hold no further ones, in their order; what is broken ends
// the multipart that it stands in, and is told.
type walker struct {
	visit    func(p *part, content io.Reader) error
	number   int
	troubles []string
}

// walk reads a message and returns its header, as far as it can be read.
func (w *walker) walk(in io.Reader) (gomessage.Header, error) {
	limited := &io.LimitedReader{R: in, N: mostHeader}
	buffered := bufio.NewReader(limited)
	fields, err := textproto.ReadHeader(buffered)
	h := gomessage.Header{Header: fields}
	switch {
	case limited.N <= 0 && buffered.Buffered() == 0:
		w.trouble("the header is longer than " + inspect.Octets(mostHeader) + ": the rest is not taken apart")
		return h, nil
	case err != nil && !errors.Is(err, io.EOF):
		w.trouble("the header cannot be read further: " + brief(err))
		return h, nil
	}
	limited.N = mostRead
	err = w.entity(h, buffered, 0)
	if limited.N <= 0 {
		w.trouble("only the first " + inspect.Octets(mostRead) + " were taken apart")
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return h, err
}

func (w *walker) trouble(text string) { w.troubles = append(w.troubles, text) }

// entity reads the message itself or one part of it.
func (w *walker) entity(h gomessage.Header, body io.Reader, depth int) error {
	kind, params, err := h.ContentType()
	if err != nil && h.Get("Content-Type") != "" {
		w.trouble("a Content-Type cannot be read: " + brief(err))
	}
	if !strings.HasPrefix(strings.ToLower(kind), "multipart/") {
		return w.leaf(h, body)
	}
	switch {
	case params["boundary"] == "":
		w.trouble("a multipart names no boundary: it is shown as one part")
		return w.leaf(h, body)
	case depth >= mostDepth:
		w.trouble("multiparts stand in each other more than " + inspect.Count(mostDepth, "level") + " deep: the rest is not taken apart")
		return nil
	}
	return w.parts(multipart.NewReader(body, params["boundary"]), depth)
}

func (w *walker) parts(in *multipart.Reader, depth int) error {
	for {
		p, err := in.NextRawPart()
		switch {
		case err == io.EOF: // one that is wrapped is an end too early
			return nil
		case err != nil:
			w.trouble("a multipart cannot be read further: " + brief(err))
			return nil
		case w.number >= mostParts:
			w.trouble("it has more than " + inspect.Count(mostParts, "part") + ": the rest is not listed")
			return errEnough
		}
		if err := w.entity(gomessage.HeaderFromMap(p.Header), p, depth+1); err != nil {
			return err
		}
	}
}

// leaf hands a part out with its transfer encoding undone. The charset is left
// as it is: a file is what it was.
func (w *walker) leaf(h gomessage.Header, body io.Reader) error {
	w.number++
	p := partOf(w.number, h)
	bare := gomessage.Header{}
	bare.Set("Content-Type", "application/octet-stream")
	bare.Set("Content-Transfer-Encoding", strings.TrimSpace(h.Get("Content-Transfer-Encoding")))
	e, err := gomessage.New(bare, body)
	if err != nil {
		p.Trouble = "its transfer encoding is not known: it is shown as it is"
	}
	content := &counter{in: e.Body}
	if err := w.visit(p, content); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, content)
	if p.Size = content.n; err != nil && p.Trouble == "" {
		p.Trouble = unread(err, p.Size)
	}
	return nil
}

// unread says where a part could not be read on.
func unread(err error, behind int64) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends unfinished behind " + inspect.Octets(behind)
	}
	return "it cannot be decoded behind " + inspect.Octets(behind)
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(to []byte) (int, error) {
	n, err := c.in.Read(to)
	c.n += int64(n)
	return n, err
}

// brief words an error that may quote a line of the message.
func brief(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "EOF") {
		return "it ends before its last boundary"
	}
	return cut(err.Error()).beginning()
}
