package replay_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream/replay"
)

// yes is a smarthost that takes everything and is lax in every way: LF and CR
// end a line too, and a lone dot a message. It keeps what it took.
type yes struct {
	in, out  []byte
	verbs    []string
	rcpts    []string
	messages int
	text     bool
	chunk    int64
	auths    int
	secure   bool
	codes    string // '3', '4' or '5' for another answer to the command of that number
}

func greets(codes string) *yes { return &yes{codes: codes, out: []byte("220 yes\r\n")} }

func (y *yes) Read(b []byte) (int, error) {
	if len(y.out) == 0 {
		return 0, io.EOF
	}
	n := copy(b, y.out)
	y.out = y.out[n:]
	return n, nil
}

func (y *yes) Write(b []byte) (int, error) {
	if y.secure = y.secure || len(y.verbs) == 0 && wire.LooksLikeTLS(b); y.secure {
		return len(b), nil // TLS from the first octet, for which it has no certificate
	}
	y.in = append(y.in, b...)
	for y.step() {
	}
	return len(b), nil
}

// step takes one line or chunk.
func (y *yes) step() bool {
	if y.chunk > 0 {
		n := min(y.chunk, int64(len(y.in)))
		y.in, y.chunk = y.in[n:], y.chunk-n
		return n > 0
	}
	i := bytes.IndexAny(y.in, "\r\n")
	if i < 0 {
		return false
	}
	line, rest := string(y.in[:i]), y.in[i+1:]
	if y.in[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	y.in = rest
	if y.text {
		y.body(line)
		return true
	}
	y.command(line)
	return true
}

func (y *yes) body(line string) {
	if line == "." {
		y.text = false
		y.messages++
		y.say("250 queued")
	}
}

func (y *yes) command(line string) {
	c := wire.ParseCommandText(line)
	y.verbs = append(y.verbs, c.Verb)
	if n := len(y.verbs); n <= len(y.codes) && c.Verb != "AUTH" && c.Verb != "BDAT" {
		switch y.codes[n-1] {
		case '3':
			y.text = true
			y.say("354 go")
			return
		case '4', '5':
			y.say(y.codes[n-1:n] + "21 no")
			return
		}
	}
	switch c.Verb {
	case "EHLO":
		y.say("250-yes\r\n250-AUTH PLAIN\r\n250 CHUNKING")
	case "STARTTLS":
		y.say("454 not now")
	case "AUTH":
		y.auths++
		y.say("535 no")
	case "RCPT":
		y.rcpts = append(y.rcpts, line)
		y.say("250 ok")
	case "DATA":
		y.text = true
		y.say("354 go")
	case "BDAT":
		size, last, ok, _ := wire.Chunk(c.Arg)
		if ok {
			y.chunk = size
		}
		if last {
			y.messages++
		}
		y.say("250 ok")
	default:
		y.say("250 ok")
	}
}

func (y *yes) say(reply string) { y.out = append(y.out, reply+"\r\n"...) }

func (y *yes) Close() error                     { return nil }
func (y *yes) LocalAddr() net.Addr              { return nil }
func (y *yes) RemoteAddr() net.Addr             { return nil }
func (y *yes) SetDeadline(time.Time) error      { return nil }
func (y *yes) SetReadDeadline(time.Time) error  { return nil }
func (y *yes) SetWriteDeadline(time.Time) error { return nil }

// anything reads a history from octets: each piece is an entry, its first octet
// says of which kind.
func anything(text string) (entries []session.Entry) {
	for i, piece := range strings.Split(text, "\x1e") {
		if piece == "" {
			continue
		}
		rest := piece[1:]
		e := session.Entry{Seq: i + 1, Text: rest, Kind: session.KindCommand, Verb: "NOOP"}
		switch piece[0] {
		case 'a':
			e.Kind, e.Verb = session.KindAuth, "AUTH"
		case 'd', 'b':
			e.Kind, e.Verb, e.Bytes, e.Text = session.KindData, map[byte]string{'d': ".", 'b': "BDAT"}[piece[0]], int64(len(rest)), ""
		case 'r', 'p':
			e.Kind, e.Leg, e.From = session.KindReply, session.Upstream, session.FromUpstream
			if piece[0] == 'p' {
				e.Leg, e.From = session.App, session.FromProxy
			}
			r, _ := wire.ParseReply(rest)
			e.Code, e.Enhanced, e.Verb = r.Code, r.Enhanced, "EHLO"
		case 't', 'u':
			e.Kind, e.Phase, e.Verb = session.KindTLS, session.PhaseTLS, ""
			e.Leg = map[byte]session.Side{'t': session.App, 'u': session.Upstream}[piece[0]]
		case 'x':
			e.Kind = session.KindClose
		case 'n':
			e.Kind, e.Odd, e.Edit = session.KindNote, session.Oddity(rest), true
		}
		entries = append(entries, e)
	}
	return entries
}

// wholeSession is two messages, for anything.
func wholeSession() string {
	return strings.Join([]string{"r220 mx", "cEHLO me", "r250 mx", "aAUTH PLAIN ***", "r235 ok", "cMAIL FROM:<a@b>", "cRCPT TO:<c@d> NOTIFY=NEVER", "r250 ok", "r250 ok",
		"cDATA", "r354 go", "dhello\r\n", "r250 ok", "cMAIL FROM:<a@b>", "r250 ok", "cRCPT TO:<c@d>", "r250 ok", "cBDAT 3", "bxyz", "r250 ok", "cBDAT 2 LAST", "bx\n", "r250 ok", "cQUIT", "r221 bye", "x"}, "\x1e")
}

// What the target below says of a smarthost that takes nothing would be true of
// anybody: it does take mail, when it is to.
func TestTheLaxSmarthostTakesMail(t *testing.T) {
	o := replay.Options{To: []string{"me@example.org"}}
	script, err := kept(anything(wholeSession()), "hello\r\n", "hello\r\n").Script(o)
	if err != nil {
		t.Fatal(err)
	}
	y := greets("")
	if got := script.Play(t.Context(), y, o); got.Delivered != 2 || y.messages != 2 || len(y.rcpts) != 2 {
		t.Errorf("got %+v, and it took %d messages for %q, want 2 for 2", got, y.messages, y.rcpts)
	}
}

// Whatever a record says and whoever wrote it: a dry run says nothing that
// delivers, one to another recipient names nobody else, and a password is tried
// once. The body belongs to whoever wrote the record, too.
func FuzzScript(f *testing.F) {
	whole := wholeSession()
	f.Add(whole, "hello\r\n", "")
	f.Add(whole, "hello\r\n", "2235232")
	f.Add("r220 mx\x1ecNOOP\nDATA\x1er250 ok\x1ec\tdata\x1er354 go", "a\n.\nRCPT TO:<c@d>\r\n", "3")
	f.Add("t\x1er220 mx\x1ecSTARTTLS\x1er220 go\x1et\x1enpipelining\x1ecEHLO\x1er250 a\x1enopaque\x1ecDATA", ".\r\n", "5")
	f.Add("cBDAT 9\x1ebx\x1er250 ok\x1enbare-lf\x1eaAUTH\x1ea*\x1er535 no\x1eaAUTH X\x1er535 no", "RCPT TO:<c@d>\r\n", "223")
	f.Add("r220 mx\x1ecDATA\x1er354 go\x1edhello", "hello\r\n", "")
	f.Fuzz(func(t *testing.T, text, body, codes string) {
		entries := anything(text)
		for _, o := range []replay.Options{{}, {To: []string{"me@example.org"}}} {
			o.Auth = &replay.Credentials{User: "me", Password: "secret"}
			o.Timeout = time.Second
			y := greets(codes)
			script, err := kept(entries, body, body, body).Script(o)
			if err != nil {
				continue
			}
			got := script.Play(context.Background(), y, o)
			wantSafe(t, o, y, got)
		}
	})
}

func wantSafe(t *testing.T, o replay.Options, y *yes, got replay.Result) {
	t.Helper()
	safe := []string{"", "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS", "XCLIENT", "XFORWARD",
		"AUTH", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI"}
	if o.To != nil {
		safe = append(safe, "DATA", "BDAT")
	}
	for _, verb := range y.verbs {
		if !slices.Contains(safe, verb) {
			t.Fatalf("with %+v it heard %q, want harmless verbs only", o, y.verbs)
		}
	}
	for _, rcpt := range y.rcpts {
		if o.To != nil && !strings.HasPrefix(rcpt, "RCPT TO:<me@example.org>") {
			t.Errorf("it heard %q, want no other than me@example.org", rcpt)
		}
	}
	if o.To == nil && y.messages > 0 || y.auths > 1 {
		t.Errorf("with %+v it took %d messages and %d passwords", o, y.messages, y.auths)
	}
	if got.Delivered != 0 && o.To == nil {
		t.Errorf("got %d messages delivered by a dry run", got.Delivered)
	}
}
