package testenv

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// record is a TLS record of n octets of payload.
func record(n int) []byte {
	return append([]byte{22, 3, 3, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{byte(n)}, n)...)
}

// scripted is a connection whose peer says something before every write but the
// first, and remembers what was written.
type scripted struct {
	net.Conn
	written bytes.Buffer
	closed  bool
}

func (s *scripted) Read(b []byte) (int, error)  { return copy(b, "x"), nil }
func (s *scripted) Write(b []byte) (int, error) { return s.written.Write(b) }
func (s *scripted) Close() error                { s.closed = true; return nil }

func TestBreachSparesWhatComesBefore(t *testing.T) {
	one, two, three := record(3), record(70), record(2)
	tests := map[string]struct {
		breach Breach
		want   [][]byte // of flights {one}, {two three}
		err    error
	}{
		"none":                    {Breach{}, [][]byte{one, two, three}, nil},
		"the first flight":        {Breach{Flight: 1}, nil, nil},
		"the second flight":       {Breach{Flight: 2}, [][]byte{one}, nil},
		"within the second":       {Breach{Flight: 2, Records: 1}, [][]byte{one, two}, nil},
		"beyond the second":       {Breach{Flight: 2, Records: 2}, [][]byte{one, two, three}, nil},
		"octets instead":          {Breach{Flight: 2, Records: 1, Raw: "boo"}, [][]byte{one, two, []byte("boo")}, nil},
		"closed in the second":    {Breach{Flight: 2, Records: 1, Then: EndClose}, [][]byte{one, two}, errBreached},
		"a third that never came": {Breach{Flight: 3, Then: EndClose}, [][]byte{one, two, three}, nil},
	}
	for name, tt := range tests {
		peer := &scripted{}
		c := tt.breach.on(peer)
		_, err := c.Write(one)
		if err == nil {
			_, _ = io.ReadFull(c, make([]byte, 1))
			_, err = c.Write(append(bytes.Clone(two), three...))
		}
		if want := bytes.Join(tt.want, nil); !bytes.Equal(peer.written.Bytes(), want) || !errors.Is(err, tt.err) || peer.closed != (tt.err != nil) {
			t.Errorf("%s: got %x, closed %t, %v; want %x, %v", name, peer.written.Bytes(), peer.closed, err, want, tt.err)
		}
	}
}

func TestBreachIsValidated(t *testing.T) {
	for _, b := range []Breach{{Records: 1}, {Flight: -1}, {Then: EndClose}, {Flight: 1, Then: "sulk"}} {
		if b.validate() == nil {
			t.Errorf("%+v: got no error, want one", b)
		}
	}
}
