package wire

import "bytes"

// Verdict is what a scan of message data has come to.
type Verdict uint8

// The verdicts.
const (
	More      Verdict = iota // the message goes on
	End                      // CRLF.CRLF: the message is complete
	Ambiguous                // a sequence that a laxer server may read as the end
)

// Data scans dot-ended message data (RFC 5321, section 4.1.1.4) for its end.
// CRLF.CRLF and nothing else is the end. The sequences that laxer servers take
// for one are reported, because a server behind them would read the rest of
// the message as commands (SMTP smuggling, CVE-2023-51764 to 51766). The zero
// value stands behind the CRLF of the DATA command.
//
// How it works: a body is mostly lines that end in CRLF and hold no other CR.
// Those are passed over with two vectorised searches a line. Only a line that
// starts with a dot, or holds a bare CR or LF, is looked at byte by byte. A dot
// behind a newline is not consumed before the bytes that decide its meaning
// are there; so at most two bytes are ever left to the next call.
type Data struct {
	after    newline
	length   int    // octets of the line under way
	Sequence string // with Ambiguous: which one, as "LF.CRLF"
	BareLF   bool   // a LF without CR was seen
	BareCR   bool   // a CR without LF was seen
	Longest  int    // octets of the longest line so far, without its CRLF
}

// worthCounting is from how many octets on lines are passed over together.
const worthCounting = 1 << 10

var cr = []byte{'\r'}

// newline says what the last byte was.
type newline uint8

const (
	afterCRLF newline = iota
	afterLF           // a bare one
	afterCR           // bare unless a LF follows
	afterText
)

var newlineNames = [...]string{afterCRLF: "CRLF", afterLF: "LF", afterCR: "CR"}

// Scan reads message data and returns how many octets of b belong to the
// message. With End, the three octets ".\r\n" follow them. With More, what is
// left of b (at most two octets) must be given again in front of the next.
func (d *Data) Scan(b []byte) (n int, v Verdict) {
	n = d.plainLines(b)
	for n < len(b) {
		if d.after != afterText && b[n] == '.' {
			if d.needsMore(b[n:]) {
				return n, More
			}
			if v := d.dot(b[n:]); v != More {
				return n, v
			}
		}
		if k := d.plainLine(b[n:]); k > 0 {
			n += k
			continue
		}
		d.step(b[n])
		n++
	}
	return n, More
}

// plainLines passes over as many lines as need no closer look, with one search
// a line: that none of them holds a CR but at its end shows in their number.
func (d *Data) plainLines(b []byte) int {
	if d.after == afterCR || d.after == afterLF || len(b) < worthCounting {
		return 0
	}
	n, lines, length, longest := 0, 0, d.length, d.Longest
	for dot := d.after == afterCRLF; ; dot = true {
		if dot && n < len(b) && b[n] == '.' {
			break
		}
		i := bytes.IndexByte(b[n:], '\n')
		if i < 1 || b[n+i-1] != '\r' {
			break
		}
		longest, length = max(longest, length+i-1), 0
		n += i + 1
		lines++
	}
	if lines == 0 || bytes.Count(b[:n], cr) != lines {
		return 0
	}
	d.after, d.length, d.Longest = afterCRLF, 0, longest
	return n
}

// plainLine passes over a line, or the rest of one, that needs no closer look,
// and returns its length, 0 when there is none.
func (d *Data) plainLine(b []byte) int {
	if d.after == afterCR || d.after == afterLF {
		return 0
	}
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		if bytes.IndexByte(b, '\r') >= 0 {
			return 0
		}
		d.after, d.length = afterText, d.length+len(b)
		return len(b)
	}
	if i == 0 || b[i-1] != '\r' || bytes.IndexByte(b[:i-1], '\r') >= 0 {
		return 0
	}
	d.endLine(i - 1)
	d.after = afterCRLF
	return i + 1
}

// endLine notes the length of a line that has ended.
func (d *Data) endLine(more int) {
	d.Longest = max(d.Longest, d.length+more)
	d.length = 0
}

// step takes one byte.
func (d *Data) step(c byte) {
	switch {
	case c == '\n' && d.after == afterCR:
		d.after = afterCRLF
		d.endLine(0)
		return
	case c == '\n':
		d.BareLF = true
		d.after = afterLF
		d.endLine(0)
		return
	}
	if d.after == afterCR {
		d.BareCR = true
	}
	if c == '\r' {
		d.after = afterCR
		return
	}
	d.after = afterText
	d.length++
}

// needsMore reports whether the bytes behind a dot at b[0] are too few to tell
// what it is.
func (d *Data) needsMore(b []byte) bool {
	if len(b) == 1 {
		return true
	}
	return len(b) == 2 && b[1] == '\r' && d.after != afterCR
}

// dot judges a dot at b[0] that stands behind a newline.
func (d *Data) dot(b []byte) Verdict {
	var behind string
	switch {
	case b[1] == '\n':
		behind = "LF"
	case b[1] != '\r':
		return More
	case d.after == afterCR && (len(b) == 2 || b[2] != '\n'):
		behind = "CR"
	case b[2] == '\n':
		behind = "CRLF"
	case d.after == afterCRLF:
		behind = "CR"
	default: // LF.CR and then no LF: nobody is known to read it as an end
		return More
	}
	if d.after == afterCRLF && behind == "CRLF" {
		return End
	}
	d.Sequence = newlineNames[d.after] + "." + behind
	return Ambiguous
}

// Pass steps over the dot that Scan has just called ambiguous: it is taken for
// text.
func (d *Data) Pass() {
	d.after = afterText
	d.length++
}
