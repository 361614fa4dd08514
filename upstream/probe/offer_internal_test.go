package probe

import (
	"bufio"
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

func TestVersionsOfAnOffer(t *testing.T) {
	tests := []struct {
		recorded []string
		version  uint16   // in the old way
		versions []uint16 // in the new way
	}{
		{[]string{"TLS 1.3", "TLS 1.2"}, 0, []uint16{0x304, 0x303}},
		{[]string{"TLS 1.2"}, 0, []uint16{0x303}},
		{[]string{"TLS 1.2", "TLS 1.1", "TLS 1.0"}, 0x303, nil},
		{[]string{"TLS 1.1", "TLS 1.0"}, 0x302, nil},
		{[]string{"TLS 1.0"}, 0x301, nil},
		{[]string{"SSLv3"}, 0x300, nil},
		{nil, 0x300, nil},
	}
	for _, test := range tests {
		o, err := offerOf(&session.Hello{Versions: test.recorded, Ciphers: []string{"TLS_RSA_WITH_AES_128_CBC_SHA"}}, "")
		if err != nil || o.Version != test.version || !slices.Equal(o.Versions, test.versions) {
			t.Errorf("%q: version %04X, versions %04X, %v; want %04X, %04X", test.recorded, o.Version, o.Versions, err, test.version, test.versions)
		}
	}
}

func TestAnswersBeyondAnOffer(t *testing.T) {
	o, err := offerOf(&session.Hello{
		Versions: []string{"TLS 1.3", "TLS 1.2"}, Ciphers: []string{"TLS_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
		Groups: []string{"X25519"}, ALPN: []string{"smtp"},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		answer wire.ServerHello
		want   setting
	}{
		{"as offered", wire.ServerHello{Version: 0x304, Suite: 0x1301, Group: 29, ALPN: "smtp"}, ""},
		{"a lower version", wire.ServerHello{Version: 0x302, Suite: 0x9e}, settingVersions},
		{"made to step down", wire.ServerHello{Version: 0x303, Suite: 0x9e, Downgraded: true}, settingVersions},
		{"another suite", wire.ServerHello{Version: 0x304, Suite: 0x1302, Group: 29}, settingSuites},
		{"a small group of Diffie-Hellman", wire.ServerHello{Version: 0x303, Suite: 0x9e, DHBits: 768}, settingSuites},
		{"another group", wire.ServerHello{Version: 0x304, Suite: 0x1301, Group: 23}, settingGroups},
		{"another protocol", wire.ServerHello{Version: 0x304, Suite: 0x1301, Group: 29, ALPN: "h2"}, settingALPN},
	}
	for _, test := range tests {
		if got := o.broken(&test.answer); got != test.want {
			t.Errorf("%s: %q, want %q: %+v", test.name, got, test.want, test.answer)
		}
	}
}

// FuzzOffer makes offers of what a record may hold. What goes out is what was
// recorded, as far as it has a name, and nothing else.
func FuzzOffer(f *testing.F) {
	f.Add("TLS 1.3,TLS 1.2", "TLS_AES_128_GCM_SHA256,0x1234,?", "X25519,P-256", "ed25519", "smtp.example.com")
	f.Add("", "TLS_RSA_WITH_RC4_128_SHA", "", "", "")
	f.Fuzz(func(t *testing.T, versions, suites, groups, signatures, sni string) {
		if len(versions)+len(suites)+len(groups)+len(signatures)+len(sni) > 4<<10 {
			return // more than a record holds
		}
		h := &session.Hello{
			Versions: strings.Split(versions, ","), Ciphers: strings.Split(suites, ","),
			Groups: strings.Split(groups, ","), Signatures: strings.Split(signatures, ","),
		}
		o, err := offerOf(h, sni)
		if err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		back, err := wire.ParseClientHello(content(o.AppendRecord(nil, [32]byte{}, nil)))
		if err != nil {
			return // a hello without any suite is none
		}
		for _, id := range back.Suites {
			if !slices.Contains(h.Ciphers, wire.SuiteName(id)) && !slices.ContainsFunc(h.Ciphers, func(name string) bool { n, ok := wire.SuiteID(name); return ok && n == id }) {
				t.Errorf("suite %04X was not recorded: %q", id, h.Ciphers)
			}
		}
		if back.Max() != o.Max() || !slices.Equal(back.Groups, withoutGrease(o.Groups)) {
			t.Errorf("out goes %+v, made of %+v", back, o)
		}
	})
}

// withoutGrease drops the values that a parser leaves out (RFC 8701).
func withoutGrease(ids []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(ids), func(id uint16) bool { return id&0x0f0f == 0x0a0a && id>>8 == id&0xff })
}

// FuzzReply reads anything as a reply: it takes a bounded part of it, and what
// it makes of it has the code of the last line.
func FuzzReply(f *testing.F) {
	f.Add([]byte("250-mx\r\n250 STARTTLS\r\n"))
	f.Add([]byte("220"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		near, far := net.Pipe()
		near.Close()
		far.Close()
		source := bytes.NewReader(sent)
		l := &line{conn: near, r: bufio.NewReader(source)}
		reply, err := l.reply()
		if read := len(sent) - source.Len(); read > maxReply+2*4096 {
			t.Fatalf("%d octets were read of a reply", read)
		}
		if err != nil {
			return
		}
		if len(reply.Lines) == 0 || reply.Code < 100 || reply.Code > 699 {
			t.Errorf("%q was read as %+v", sent, reply)
		}
		offers(reply, "STARTTLS") // must not stumble over a reply of one line
	})
}
