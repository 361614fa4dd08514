package probe_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// rootsOf reads an authority's certificate.
func rootsOf(pem []byte) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return roots
}

// listener is a smarthost that writes down each line it hears. Its replies are
// those of an open relay, except where says has others: by verb, or "" for the
// greeting. A reply of "-" is silence, one of "~" a 220 and then silence, one of
// "!" the end of the connection. One of "@" to AUTH goes through the exchange,
// refuses it and repeats all that was said in it, as it came and decoded.
type listener struct {
	net.Listener
	says map[string]string
	tls  *tls.Config // for STARTTLS

	mu      sync.Mutex
	lines   []string
	stalled chan string // hears of each silence
	ends    sync.WaitGroup
}

func listen(t *testing.T, says map[string]string) *listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{Listener: inner, says: says, stalled: make(chan string, 8)}
	l.ends.Go(l.accept)
	t.Cleanup(func() {
		l.Close()
		l.ends.Wait()
	})
	return l
}

func (l *listener) accept() {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		l.ends.Go(func() {
			defer c.Close()
			l.talk(c)
		})
	}
}

func (l *listener) talk(c net.Conn) {
	t := &talk{listener: l, conn: c, r: bufio.NewReader(c)}
	for verb := ""; !t.say(verb); {
		if verb == "STARTTLS" {
			t.conn = tls.Server(t.conn, l.tls)
			t.r = bufio.NewReader(t.conn)
		}
		line, err := t.r.ReadString('\n')
		for body := verb == "DATA"; body && err == nil && line != ".\r\n"; {
			line, err = t.r.ReadString('\n')
		}
		if err != nil {
			return
		}
		verb = t.hear(strings.TrimRight(line, "\r\n"))
	}
}

// talk is one conversation of a listener.
type talk struct {
	*listener
	conn net.Conn
	r    *bufio.Reader
	auth []string // the words of the exchange under way
}

// hear writes a line down and returns its verb. A line of an AUTH exchange
// belongs to AUTH.
func (t *talk) hear(line string) string {
	words := strings.Split(line, " ")
	verb := strings.ToUpper(words[0])
	if t.auth != nil && t.says["AUTH"] == "@" {
		t.auth = append(t.auth, line)
		return "AUTH"
	}
	if verb == "AUTH" {
		t.auth = words[1:]
	}
	if verb != "." {
		t.mu.Lock()
		t.lines = append(t.lines, line)
		t.mu.Unlock()
	}
	return verb
}

// refusal goes on with an AUTH exchange, or ends it with all its words.
func (t *talk) refusal() string {
	due := map[string]int{"LOGIN": 3}
	if len(t.auth) < max(2, due[t.auth[0]]) {
		return "334 " + base64.StdEncoding.EncodeToString([]byte("<1@example.com>"))
	}
	reply := "535 5.7.8"
	for _, word := range t.auth[1:] {
		raw, _ := base64.StdEncoding.DecodeString(word)
		reply += " " + word + " " + strings.NewReplacer("\x00", " ", "\x01", " ").Replace(string(raw))
	}
	t.auth = nil
	return reply
}

// say answers a verb.
func (t *talk) say(verb string) (over bool) {
	usual := map[string]string{
		"": "220 " + host + " ESMTP", "EHLO": "250-" + host + "\r\n250 AUTH PLAIN LOGIN",
		"STARTTLS": "220 go", "AUTH": "235 welcome", "DATA": "354 go on", "QUIT": "221 bye",
	}
	reply, ok := t.says[verb]
	if !ok {
		reply, ok = usual[verb]
	}
	if !ok {
		reply = "250 Ok"
	}
	switch reply {
	case "!":
		return true
	case "-":
		t.stalled <- verb
		return false
	case "~":
		_, _ = io.WriteString(t.conn, "220 go\r\n")
		t.stalled <- verb
		_, _ = io.Copy(io.Discard, t.conn)
		return true
	case "@":
		reply = t.refusal()
	}
	_, err := t.conn.Write([]byte(reply + "\r\n"))
	return err != nil || verb == "QUIT"
}

// heard returns the lines so far, those of messages left out.
func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// count tells how many lines begin with a verb.
func (l *listener) count(verb string) (n int) {
	for _, line := range l.heard() {
		if first, _, _ := strings.Cut(line, " "); first == verb {
			n++
		}
	}
	return n
}
