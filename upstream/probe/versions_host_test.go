package probe_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smtp-proxy/proxy/wire"
)

// picker is a smarthost that answers hellos as no library does any more: it
// takes whatever versions, suites and groups it is told to, and goes no further
// than the first flight.
type picker struct {
	takes  map[uint16][]uint16 // by version, the suites in its order of preference
	groups []uint16            // of TLS 1.3, likewise
	apps   bool                // the order of the app decides
	silent []uint16            // versions at whose offer it says nothing
	closes bool                // it closes where others send an alert
	dhBits int
	alert  byte // with which it refuses; 0 means handshake_failure

	hellos  atomic.Int32
	greeted atomic.Int32
	busy    int32 // the greeting from which on it takes nobody
}

// open serves until the test ends.
func (p *picker) open(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}

func (p *picker) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	if n := p.greeted.Add(1); p.busy > 0 && n >= p.busy {
		_, _ = io.WriteString(c, "421 too many connections\r\n")
		return
	}
	_, _ = io.WriteString(c, "220 picker\r\n")
	for {
		line, err := r.ReadString('\n')
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case err != nil:
			return
		case strings.HasPrefix(verb, "EHLO"):
			_, _ = io.WriteString(c, "250-picker\r\n250 STARTTLS\r\n")
		case verb == "STARTTLS":
			_, _ = io.WriteString(c, "220 go ahead\r\n")
			p.shake(c, r)
			return
		default:
			_, _ = io.WriteString(c, "221 bye\r\n")
		}
	}
}

// shake answers one hello, and reads what the other side says to that.
func (p *picker) shake(c net.Conn, r *bufio.Reader) {
	hello, err := readHello(r)
	if err != nil {
		return
	}
	p.hellos.Add(1)
	version := p.version(hello)
	if slices.Contains(p.silent, hello.Max()) {
		_, _ = io.Copy(io.Discard, r)
		return
	}
	suite := pick(p.takes[version], hello.Suites, p.apps)
	group := pick(p.groups, hello.Groups, p.apps)
	if suite != 0 && (version != wire.VersionTLS13 || group != 0) {
		_, _ = c.Write(p.flight(version, suite, group))
	} else if !p.closes {
		_, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, max(p.alert, 40)})
	}
	if !p.closes {
		_, _ = io.Copy(io.Discard, r)
	}
}

func readHello(r *bufio.Reader) (*wire.ClientHello, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return wire.ParseClientHello(body)
}

// version is the highest that both take.
func (p *picker) version(h *wire.ClientHello) uint16 {
	best := uint16(0)
	for v := range p.takes {
		offered := v <= h.Version && v != wire.VersionTLS13
		if len(h.Versions) > 0 {
			offered = slices.Contains(h.Versions, v)
		}
		if offered && v > best {
			best = v
		}
	}
	return best
}

// pick takes the first of mine that is offered, or the first offered of mine.
func pick(mine, offered []uint16, theirs bool) uint16 {
	if theirs {
		mine, offered = offered, mine
	}
	for _, id := range mine {
		if slices.Contains(offered, id) {
			return id
		}
	}
	return 0
}

// retry is the random of a HelloRetryRequest (RFC 8446, section 4.1.3).
const retry = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// flight is the answer to a hello: under TLS 1.3 a demand for a key.
func (p *picker) flight(version, suite, group uint16) []byte {
	random, ext, wireVersion := strings.Repeat("r", 32), []byte(nil), version
	if version == wire.VersionTLS13 {
		random, wireVersion = retry, wire.VersionTLS12
		ext = binary.BigEndian.AppendUint16([]byte{0, 43, 0, 2}, version)
		ext = binary.BigEndian.AppendUint16(append(ext, 0, 51, 0, 2), group)
		ext = append(binary.BigEndian.AppendUint16(nil, uint16(len(ext))), ext...)
	}
	body := binary.BigEndian.AppendUint16(nil, wireVersion)
	body = append(append(body, random...), 0)
	body = append(binary.BigEndian.AppendUint16(body, suite), 0)
	out := message(wireVersion, 2, append(body, ext...))
	if version == wire.VersionTLS13 {
		return out
	}
	if !strings.Contains(wire.SuiteName(suite), "_anon_") {
		out = append(out, message(wireVersion, 11, []byte{0, 0, 0})...)
	}
	if strings.HasPrefix(wire.SuiteName(suite), "TLS_DHE") && p.dhBits > 0 {
		key := binary.BigEndian.AppendUint16(nil, uint16(p.dhBits/8))
		out = append(out, message(wireVersion, 12, append(key, make([]byte, p.dhBits/8)...))...)
	}
	return append(out, message(wireVersion, 14, nil)...)
}

// message is a handshake message in a record of its own.
func message(version uint16, kind byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{22}, version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)+4))
	return append(append(b, kind, 0, byte(len(body)>>8), byte(len(body))), body...)
}
