package web

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	gomessage "github.com/emersion/go-message"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// What a page shows of messages.
const (
	mostLetters = 20      // messages
	mostText    = 1 << 20 // octets of the texts of a message
	mostPage    = 2 << 20 // octets of all texts of a page
	mostSource  = 64 << 10
	mostFields  = 300
	mostFrames  = 20 // HTML parts of a message; further ones can be saved
)

// letters are the messages of a session, from one number to another.
type letters struct {
	List        []letter
	First, Last int
	All         int
	Older       string // the page with those before; empty for none
	Newer       string
}

// letter is one message whole: what the history says of it, and what can be
// read of its content.
type letter struct {
	message
	Address    string
	Lack       string // why there is no content, or not all of it
	Advice     string
	There      bool
	Fields     []fact
	MoreFields string
	Texts      []shownText
	Pages      []shownPage
	Files      []*part
	Troubles   []string
	Header     string // as it was sent
	Source     string // its beginning, as it was sent
	Longer     bool   // there is more of it
}

// shownText is a text part.
type shownText struct {
	*part
	Text string
	More bool
}

// shownPage is an HTML part, shown in a frame.
type shownPage struct {
	*part
	At     string
	Remote string // what it would fetch, which is not loaded
	More   bool
}

// fillMessages reads the messages that a page shows.
func (s *Site) fillMessages(r *http.Request, v *inspect.Session, b *sessionBody) error {
	all := messagesOf(v)
	l := &letters{All: len(v.Messages) + v.Omitted, First: 1}
	if n, err := strconv.Atoi(r.URL.Query().Get("from")); err == nil {
		l.First = min(max(n, 1), max(len(all), 1))
	}
	l.Last = min(l.First+mostLetters-1, len(all))
	if at := b.Address + "/messages?from="; true {
		if l.First > 1 {
			l.Older = at + strconv.Itoa(max(l.First-mostLetters, 1))
		}
		if l.Last < len(all) {
			l.Newer = at + strconv.Itoa(l.Last+1)
		}
	}
	left := mostPage
	for _, m := range all[l.First-1 : l.Last] {
		one := letter{message: m, Address: b.Address + "/messages/" + strconv.Itoa(m.Number)}
		if err := s.read(r, v, &one, &left); err != nil {
			return err
		}
		l.List = append(l.List, one)
	}
	b.Letters = l
	return nil
}

// read takes a message apart. What is wrong with it is told on the page; an
// error is one of the record.
func (s *Site) read(r *http.Request, v *inspect.Session, l *letter, left *int) error {
	body, err := s.original(r.Context(), v, l.Number)
	var p problem
	if errors.As(err, &p) {
		l.Lack, l.Advice = p.title, p.advice
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close()
	l.There, l.Lack = true, lackOf(v, l.Number)
	return l.take(body, left)
}

// take reads the content. left is the room for texts.
func (l *letter) take(body io.Reader, left *int) error {
	source := &beginning{most: mostSource}
	shown := &texts{letter: l, left: min(mostText, *left)}
	before := shown.left
	w := walker{visit: shown.visit}
	header, err := w.walk(io.TeeReader(body, source))
	if err != nil {
		return err
	}
	if _, err := io.CopyN(source, body, mostSource+1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	*left -= before - shown.left
	l.Source, l.Longer, l.Troubles = string(source.text), source.more, w.troubles
	l.Header = headerOf(l.Source)
	l.fields(header)
	return nil
}

// lackOf says what the record does not hold of a message.
func lackOf(v *inspect.Session, number int) string {
	if number <= len(v.Messages) {
		switch v.Messages[number-1].Captured {
		case "headers":
			return "only its header was kept (--capture headers)"
		case "cut":
			return "parts of it are missing from the record"
		}
	}
	asm := inspect.NewAssembler(&session.Info{ID: v.ID, Started: v.Started})
	broken := ""
	for i := range v.Events {
		e := &v.Events[i]
		asm.Add(e)
		if e.Kind == session.KindData && asm.Message() == number-1 && e.Text != "" {
			broken = "it is not whole: " + e.Text
		}
	}
	return broken
}

func headerOf(source string) string {
	if at := strings.Index(source, "\r\n\r\n"); at >= 0 {
		return source[:at+2]
	}
	return source
}

// fields writes the header as its sender meant it.
func (l *letter) fields(h gomessage.Header) {
	g := group{}
	n := 0
	for f := h.Fields(); f.Next(); n++ {
		if n >= mostFields {
			continue
		}
		text, err := f.Text()
		if err != nil {
			text = f.Value()
		}
		g.add(f.Key(), text, false)
	}
	if l.Fields = g.Facts; n > mostFields {
		l.MoreFields = inspect.Count(n-mostFields, "field") + " more"
	}
}

// texts keeps what a page shows of the parts that pass, within its room.
type texts struct {
	letter *letter
	left   int
}

func (t *texts) visit(p *part, content io.Reader) error {
	if p.File || t.left <= 0 || p.Type == "text/html" && len(t.letter.Pages) >= mostFrames {
		t.letter.Files = append(t.letter.Files, p)
		return nil
	}
	text, more := p.read(content, t.left)
	t.left -= len(text)
	if p.Type == "text/html" {
		_, n := framedHTML(text, nil)
		shown := shownPage{part: p, At: t.letter.Address + "/html?part=" + strconv.Itoa(p.Number), More: more}
		if n > 0 {
			shown.Remote = inspect.Count(n, "remote resource")
		}
		t.letter.Pages = append(t.letter.Pages, shown)
		return nil
	}
	t.letter.Texts = append(t.letter.Texts, shownText{p, text, more})
	return nil
}

// beginning keeps the first octets written to it.
type beginning struct {
	most int
	text []byte
	more bool
}

func (b *beginning) Write(p []byte) (int, error) {
	room := min(len(p), b.most-len(b.text))
	b.text = append(b.text, p[:room]...)
	b.more = b.more || room < len(p)
	return len(p), nil
}
