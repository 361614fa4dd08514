package anonymize

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// Body returns a message with stand-ins: as many octets in as many lines, with
// the structure of its parts. It holds one line at a time, or one field of a
// header, and of those no more than maxLine octets.
//
// What a message shares with its session has the stand-in that it has there;
// of all other words nothing is left but their length and their capitals.
func (a *Anonymizer) Body(r io.Reader) io.Reader {
	return &body{a: a, in: bufio.NewReaderSize(r, maxLine), parser: newParser(a)}
}

// maxLine bounds what is looked at in one piece. A longer line is replaced
// piece by piece.
const maxLine = 64 << 10

// body reads a message through its parser.
type body struct {
	a      *Anonymizer
	in     *bufio.Reader
	parser *parser
	out    bytes.Buffer
	err    error
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	for b.out.Len() == 0 && b.err == nil {
		b.fill()
	}
	if b.out.Len() > 0 {
		return b.out.Read(p)
	}
	return 0, b.err
}

func (b *body) fill() {
	line, err := b.in.ReadSlice('\n')
	if len(line) > 0 {
		b.parser.line(string(line), &b.out)
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		return
	}
	if err != nil {
		b.parser.end(&b.out)
		b.err = err
	}
}

// parser follows the structure of a message, line by line.
type parser struct {
	a       *Anonymizer
	noise   *stream // for the words that are known nowhere
	inHead  bool
	field   strings.Builder // a field of a header, with its folded lines
	part    part
	borders []string // of the multiparts that are open, the innermost last
	outside bool     // in front of the first part, or behind the last
	middle  bool     // the line goes on that the last piece began
}

// part is what a header says of the content behind it.
type part struct {
	encoding string // Content-Transfer-Encoding in lower case
	kind     string // Content-Type without its parameters
}

func newParser(a *Anonymizer) *parser {
	return &parser{a: a, noise: a.stream("noise", "", 0), inHead: true}
}

// mostBorders bounds how deep parts are followed.
const mostBorders = 64

// line takes the next piece of a message that ends with a newline, or is as
// long as a piece may be.
func (p *parser) line(text string, out *bytes.Buffer) {
	middle := p.middle
	p.middle = !strings.HasSuffix(text, "\n")
	switch {
	case middle && !p.inHead:
		out.WriteString(p.content(text))
	case p.border(text):
		p.flush(out)
		out.WriteString(p.a.name(text))
	case p.inHead:
		p.head(text, middle, out)
	default:
		out.WriteString(p.content(text))
	}
}

func (p *parser) end(out *bytes.Buffer) { p.flush(out) }

// head collects the lines of a field. What is no field ends the header: the
// message has none, or its app forgot the empty line.
func (p *parser) head(text string, middle bool, out *bytes.Buffer) {
	folded := middle || text[0] == ' ' || text[0] == '\t'
	switch {
	case folded && p.field.Len() > 0 && p.field.Len()+len(text) <= maxLine:
		p.field.WriteString(text)
		return
	case folded && p.field.Len() > 0:
		p.flush(out)
	}
	p.flush(out)
	switch {
	case strings.TrimRight(text, "\r\n") == "":
		p.inHead = false
		out.WriteString(text)
	case folded || fieldName(text) != "":
		p.field.WriteString(text)
	default:
		p.inHead = false
		out.WriteString(p.content(text))
	}
}

// flush writes the field that was collected.
func (p *parser) flush(out *bytes.Buffer) {
	if p.field.Len() == 0 {
		return
	}
	field := p.field.String()
	p.field.Reset()
	out.WriteString(p.fieldOf(field))
}

// border reports the line between two parts, and begins the next one.
func (p *parser) border(text string) bool {
	line := strings.TrimRight(text, " \t\r\n")
	// A dot that DATA doubled stands in front of none: borders begin with dashes.
	if !strings.HasPrefix(line, "--") {
		return false
	}
	for i := len(p.borders) - 1; i >= 0; i-- {
		switch line[2:] {
		case p.borders[i]:
			p.borders, p.inHead, p.part, p.outside = p.borders[:i+1], true, part{}, false
			return true
		case p.borders[i] + "--":
			p.borders, p.inHead, p.part, p.outside = p.borders[:i], false, part{}, true
			return true
		}
	}
	return false
}

// content replaces a line of a part.
func (p *parser) content(text string) string {
	switch {
	case p.outside:
		return p.plain(text)
	case p.part.encoding == "base64":
		return p.base64(text)
	case p.part.encoding == "quoted-printable":
		return quoted(text, '=', p.plain)
	}
	return p.plain(text)
}

// plain replaces the words of a text: those of the session by their
// stand-ins, all others by noise. In HTML the names of elements stay.
func (p *parser) plain(text string) string {
	s := scan{Anonymizer: p.a, fixed: true, rest: p.noise.scramble}
	if p.part.kind != "text/html" {
		return p.octets(s, text)
	}
	var b strings.Builder
	for {
		at := element.FindStringIndex(text)
		if at == nil {
			return b.String() + p.octets(s, text)
		}
		b.WriteString(p.octets(s, text[:at[0]]) + text[at[0]:at[1]])
		text = text[at[1]:]
	}
}

// octets sees to what is not UTF-8, which no word is made of.
func (p *parser) octets(s scan, text string) string {
	out := s.text(text)
	if validText(out) {
		return out
	}
	return invalid(out, p.noise)
}
