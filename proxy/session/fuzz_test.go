package session

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// collect does what the shell would do with effects, without a network.
type collect struct {
	out    [2][]byte
	edited bool
	tls    bool
	shake  []Side
	ask    bool
	shown  int // handshakes, as entries
}

func (c *collect) do(effects []Effect) {
	for _, e := range effects {
		switch e.Op {
		case OpWrite:
			c.out[e.Side] = append(c.out[e.Side], e.Data...)
		case OpHandshake:
			c.tls = true
			c.shake = append(c.shake, e.Side)
		case OpExplain:
			c.ask = true
		case OpRecord:
			c.edited = c.edited || e.Entry.Edit
			if e.Entry.TLS != nil {
				c.shown++
			}
		}
	}
}

// FuzzMachine drives the machine with any bytes from both sides in any cuts
// and any order. Outside TLS upgrades and listed edits, what goes in comes
// out in order, or is exactly what is held.
func FuzzMachine(f *testing.F) {
	app := "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n"
	up := "220 x\r\n250-a\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n"
	f.Add([]byte(app), []byte(up), []byte{9, 200, 3, 77}, uint8(0))
	f.Add([]byte(app), []byte(up), []byte{1, 129}, uint8(1))
	f.Add([]byte("EHLO a\r\nBDAT 5 LAST\r\nab\x00deQUIT\r\n"), []byte("220 x\r\n250 CHUNKING\r\n250 ok\r\n221 bye\r\n"), []byte{5, 250}, uint8(2))
	f.Add([]byte("EHLO a\r\nAUTH LOGIN\r\ndQ==\r\ncA==\r\nSTARTTLS\r\n"), []byte("220 x\r\n250-a\r\n250 STARTTLS\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n535 no\r\n220 go\r\n"), []byte{30, 160}, uint8(3))
	f.Add([]byte(app), []byte("220-x\r\n220 x\r\n550 no\r\n550-no\r\n550 no\r\n503 no\r\n250 ok\r\n"), []byte{50, 160, 3}, uint8(131))
	f.Add([]byte("GET / HTTP/1.1\r\n"), []byte("220-x\r\n"), []byte{3}, uint8(5))
	f.Add([]byte("EHLO a\r\nMAIL FROM:<>\r\nDATA\r\na\n.\r\nb"), []byte("220 x\r\n250 a\r\n250 a\r\n354 a\r\n"), []byte{60, 160}, uint8(0))
	for _, kind := range []string{"1.2", "1.3", "1.2-refused", "1.3-resumed", "1.3-asked"} {
		in := [2][]byte{[]byte("EHLO a\r\nSTARTTLS\r\n"), []byte("220 x\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n")}
		for _, flight := range recordTLS(f, kind) {
			in[flight.from] = append(in[flight.from], flight.data...)
		}
		f.Add(in[App], in[Upstream], []byte{127, 255}, uint8(64))
		f.Add(in[App][18:], in[Upstream][39:], []byte{127, 255, 3, 130}, uint8(64))
		f.Add(in[App][18:], in[Upstream], []byte{127, 255}, uint8(65))
	}
	f.Fuzz(func(t *testing.T, app, up, cuts []byte, settings uint8) {
		cfg := Config{Upstream: "mx.test:25", UpstreamTLS: UpstreamTLS(settings % 4), AppTLS: AppTLS(settings / 4 % 3), MaxCommand: 256, MaxSASL: 512, MaxReply: 512, Annotate: settings >= 128, Passthrough: settings&64 != 0}
		now := time.Unix(1_700_000_000, 0)
		m := New(cfg, now)
		var c collect
		c.do(m.Connected(now, cfg.UpstreamTLS == UpstreamImplicit))
		fed := feed(m, &c, now, [2][]byte{app, up}, cuts)
		c.do(m.Annotated(now, ""))
		if m.tunnel != nil && c.shown != 0 && c.shown != 2 || m.tunnel != nil && c.tls {
			t.Errorf("%d entries of the tunnel's handshake, handshakes of the proxy's own: %t", c.shown, c.tls)
		}
		if c.edited || c.tls {
			return
		}
		for from := App; from <= Upstream; from++ {
			in, out := fed[from], c.out[from.Peer()]
			if !bytes.HasPrefix(in, out) {
				t.Errorf("from the %s came %q, out went %q", from, in, out)
			}
			if left := len(in) - len(out); left != m.Held(from) && !m.Over() {
				t.Errorf("%d octets of the %s unaccounted for, %d held; in %q, out %q", left, from, m.Held(from), in, out)
			}
		}
	})
}

// feed hands over the bytes in the cuts given: the high bit of a cut names the
// side, the rest how many. Sides that the machine does not want to hear wait.
func feed(m *Machine, c *collect, now time.Time, in [2][]byte, cuts []byte) (fed [2][]byte) {
	pos := [2]int{}
	if len(cuts) == 0 {
		cuts = []byte{7, 135}
	}
	for i := 0; i < 4*(len(in[0])+len(in[1])+1); i++ {
		cut := cuts[i%len(cuts)]
		from := Side(cut >> 7)
		now = now.Add(time.Millisecond)
		for len(c.shake) > 0 {
			on := c.shake[0]
			c.shake = c.shake[1:]
			c.do(m.Secured(now, on, &TLS{}, nil))
		}
		if c.ask && i%3 == 0 {
			c.ask = false
			c.do(m.Annotated(now, ""))
		}
		n := min(int(cut&0x7f)+1, len(in[from])-pos[from])
		if n == 0 || !m.WantsRead(from) {
			continue
		}
		piece := bytes.Clone(in[from][pos[from] : pos[from]+n])
		pos[from] += n
		c.do(m.Received(now, from, piece))
		for k := range piece {
			piece[k] = 'X' // the caller may reuse its buffer
		}
	}
	return [2][]byte{in[0][:pos[0]], in[1][:pos[1]]}
}

// plantedExchanges are AUTH dialogues whose secret is "planted-secret". The
// replies go between the lines; what comes behind the last is the fuzzer's.
var plantedExchanges = [][]string{
	{"AUTH PLAIN AHVzZXIAcGxhbnRlZC1zZWNyZXQ=\r\n"},
	{" auth\tplain  AHVzZXIAcGxhbnRlZC1zZWNyZXQ=\r\n"},
	{"AUTH PLAIN\r\n", "334 \r\n", "AHVzZXIAcGxhbnRlZC1zZWNyZXQ=\r\n"},
	{"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", "dXNlcg==\r\n", "334 UGFzc3dvcmQ6\r\n", "cGxhbnRlZC1zZWNyZXQ=\r\n"},
	{"AUTH LOGIN dXNlcg==\r\n", "334 UGFzc3dvcmQ6\r\n", "cGxhbnRlZC1zZWNyZXQ=\r\n"},
	{"AUTH LOGIN\r\n", "504 no such mechanism\r\n", "cGxhbnRlZC1zZWNyZXQ=\r\n"},
	{"NOOP\nAUTH PLAIN AHVzZXIAcGxhbnRlZC1zZWNyZXQ=\r\n"},
	{"AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHBsYW50ZWQtc2VjcmV0AQE=\r\n"},
	{"AUTH cGxhbnRlZC1zZWNyZXQ=\r\n"},
}

// FuzzSecrets demands that no entry shows the secret of an AUTH exchange, raw
// or encoded, whatever the upstream says afterwards. In the fuzzer's text \x01
// stands for the secret and \x02 for its base64.
func FuzzSecrets(f *testing.F) {
	for i := range plantedExchanges {
		f.Add(uint8(i), "535 5.7.8 \x01 is wrong\r\n")
		f.Add(uint8(i), "334 \x02\r\n250-\x02\r\n250 \x01\r\n\x02\r\n")
	}
	f.Fuzz(func(t *testing.T, which uint8, up string) {
		now := time.Unix(1_700_000_000, 0)
		m := New(Config{UpstreamTLS: UpstreamNone}, now)
		lines := plantedExchanges[int(which)%len(plantedExchanges)]
		demandNoSecret(t, m.Connected(now, true))
		demandNoSecret(t, m.Received(now, Upstream, []byte("220 x\r\n")))
		for i, line := range lines {
			demandNoSecret(t, m.Received(now, Side(i%2), []byte(line)))
		}
		if len(m.secrets) == 0 { // nothing was an AUTH: the upstream has nothing to echo
			return
		}
		up = strings.NewReplacer("\x01", "planted-secret", "\x02", "cGxhbnRlZC1zZWNyZXQ=").Replace(up)
		demandNoSecret(t, m.Received(now, Upstream, []byte(up)))
		demandNoSecret(t, m.Closed(now, Upstream, nil))
	})
}

func demandNoSecret(t *testing.T, effects []Effect) {
	t.Helper()
	for _, e := range effects {
		if e.Op != OpRecord {
			continue
		}
		for _, s := range []string{"planted-secret", "cGxhbnRlZC1zZWNyZXQ", "AHVzZXIAcGxhbnRlZC1zZWNyZXQ", "cGxhbnRlZC1zZWNyZX"} {
			if strings.Contains(e.Entry.Text, s) {
				t.Fatalf("an entry shows the secret: %q", e.Entry.Text)
			}
		}
	}
}
