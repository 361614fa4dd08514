package session

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// TestTranscripts plays every dialogue in testdata. Lines that begin at the
// margin say what happens; indented lines are what the machine wanted done.
//
//	config upstream-tls=starttls app-tls=offer   settings, first line, optional
//	connected | connected secure                 the upstream's connection stands
//	A: text\r\n   U: text\r\n                    bytes from a side, as a Go string
//	secured U | unsecured U | closed A | reset A | wait 61s | stop
//	annotated text                               the words for the reply that waits
//	tls 1.3-resumed                              the TLS session whose flights come next, see recordTLS
//	flight | flight 3                            its next flight, or flights
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, want)
			if *update {
				if err := os.WriteFile(name, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the transcript has changed; run with -update and read the diff\n%s", got)
			}
		})
	}
}

// player runs one script.
type player struct {
	t   *testing.T
	cfg Config
	m   *Machine
	now time.Time
	tls []flight // still to be sent
}

func play(t *testing.T, script []byte) []byte {
	t.Helper()
	p := &player{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	p.cfg = Config{Upstream: "mx.test:587", UpstreamTLS: UpstreamNone}
	var out bytes.Buffer
	for sc := bufio.NewScanner(bytes.NewReader(script)); sc.Scan(); {
		line := sc.Text()
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&out, line)
		for _, e := range p.step(line) {
			fmt.Fprintln(&out, "  "+show(e))
		}
	}
	return out.Bytes()
}

func (p *player) step(line string) []Effect {
	word, rest, _ := strings.Cut(line, " ")
	if word == "config" {
		p.configure(rest)
		return nil
	}
	if strings.HasPrefix(word, "#") || word == "" {
		return nil
	}
	if p.m == nil {
		p.m = New(p.cfg, p.now)
	}
	switch word {
	case "connected":
		return p.m.Connected(p.now, rest == "secure")
	case "unreachable":
		return p.m.Unreachable(p.now, "", rest)
	case "A:", "U:":
		return p.m.Received(p.now, side(word), p.octets(rest))
	case "secured":
		return p.m.Secured(p.now, side(rest), &TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256"}, nil)
	case "unsecured":
		return p.m.Secured(p.now, side(rest), nil, &Fault{Op: "handshake", Class: FaultCertificate, Text: "certificate has expired"})
	case "closed":
		return p.m.Closed(p.now, side(rest), nil)
	case "reset":
		return p.m.Closed(p.now, side(rest), &Fault{Op: "read", Class: FaultReset, Text: "connection reset by peer"})
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		p.now = p.now.Add(d)
		return p.m.Elapsed(p.now)
	case "tls":
		p.tls = recordTLS(p.t, rest)
		return nil
	case "flight":
		return p.flights(rest)
	case "annotated":
		return p.m.Annotated(p.now, rest)
	case "stop":
		return p.m.Stop(p.now)
	}
	p.t.Fatalf("%q is no step", line)
	return nil
}

// flights sends the next n flights of the TLS session, a millisecond apart.
func (p *player) flights(n string) (all []Effect) {
	k := 1
	if n != "" {
		k, _ = strconv.Atoi(n)
	}
	if k > len(p.tls) {
		p.t.Fatalf("%d flights wanted, %d left", k, len(p.tls))
	}
	for _, f := range p.tls[:k] {
		p.now = p.now.Add(time.Millisecond)
		all = append(all, p.m.Received(p.now, f.from, f.data)...)
	}
	p.tls = p.tls[k:]
	return all
}

// octets reads what a side sends: a Go string without its quotes, or @n:x for n
// times x.
func (p *player) octets(text string) []byte {
	s, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	if err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
	if s, ok := strings.CutPrefix(s, "@"); ok {
		n, text, _ := strings.Cut(s, ":")
		k, _ := strconv.Atoi(n)
		return bytes.Repeat([]byte(text), k)
	}
	return []byte(s)
}

func (p *player) configure(settings string) {
	for f := range strings.FieldsSeq(settings) {
		switch f {
		case "upstream-tls=auto":
			p.cfg.UpstreamTLS = UpstreamAuto
		case "upstream-tls=starttls":
			p.cfg.UpstreamTLS = UpstreamSTARTTLS
		case "upstream-tls=implicit":
			p.cfg.UpstreamTLS = UpstreamImplicit
		case "app-tls=offer":
			p.cfg.AppTLS = AppOffer
		case "app-tls=require":
			p.cfg.AppTLS = AppRequire
		case "passthrough":
			p.cfg.Passthrough = true
		case "smuggling=pass":
			p.cfg.PassSmuggling = true
		case "annotate":
			p.cfg.Annotate = true
		case "max-reply=64":
			p.cfg.MaxReply = 64
		default:
			p.t.Fatalf("%q is no setting", f)
		}
	}
}

func side(s string) Side {
	if strings.HasPrefix(strings.ToLower(s), "a") {
		return App
	}
	return Upstream
}

func show(e Effect) string {
	switch e.Op {
	case OpWrite:
		kind := ""
		if e.Body {
			kind = " body"
		}
		if showsTLS(e.Data) {
			return fmt.Sprintf("-> %s%s TLS, %d octets", e.Side, kind, len(e.Data))
		}
		if len(e.Data) > 200 {
			return fmt.Sprintf("-> %s%s %d octets", e.Side, kind, len(e.Data))
		}
		return fmt.Sprintf("-> %s%s %q", e.Side, kind, e.Data)
	case OpHandshake:
		return "handshake " + e.Side.String()
	case OpExplain:
		return "explain"
	case OpClose:
		return "close " + e.Side.String()
	case OpCloseWrite:
		return "close-write " + e.Side.String()
	}
	return showEntry(e.Entry)
}

func showEntry(x *Entry) string {
	s := fmt.Sprintf("record %s/%s %s %s", x.Leg, x.From, x.Phase, x.Kind)
	if x.Verb != "" {
		s += " " + x.Verb
	}
	if x.Code != 0 {
		s += fmt.Sprintf(" %d", x.Code)
		if x.Enhanced != "" {
			s += " " + x.Enhanced
		}
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{x.Own, "own"}, {x.Secure, "secure"}, {x.Edit, "edit"}, {x.Odd != "", "odd=" + string(x.Odd)}} {
		if f.on {
			s += " " + f.name
		}
	}
	if x.Text != "" {
		s += fmt.Sprintf(" %q", x.Text)
	}
	if x.Kind == KindData {
		s += fmt.Sprintf(" %d octets", x.Bytes)
	}
	if x.Auth != nil {
		s += fmt.Sprintf(" user=%q", x.Auth.Username)
		if x.Auth.Secret != nil {
			s += fmt.Sprintf(" secret=%d %s %s", x.Auth.Secret.Length, x.Auth.Secret.Alphabet, x.Auth.Secret.Blanks)
		}
		if x.Auth.Malformed != "" {
			s += " malformed=" + x.Auth.Malformed
		}
	}
	return s + showTunnel(x)
}
