package proxy

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

func TestTowardTheOriginalDestination(t *testing.T) {
	named := upstream.Target{Name: "smtp.example.com:587", Host: "smtp.example.com", Port: 587, Mode: upstream.ModeSTARTTLS}
	tests := []struct {
		name, dest string
		route      Route
		target     string // of the session
		secured    string // whose certificate is wanted
		mode       upstream.Mode
		app        session.AppTLS
	}{
		{"IPv4", "192.0.2.10:587", Route{}, "192.0.2.10:587", "192.0.2.10", upstream.ModeAuto, session.AppNone},
		{"IPv6", "[2001:db8::10]:25", Route{}, "[2001:db8::10]:25", "2001:db8::10", upstream.ModeAuto, session.AppNone},
		{"mode", "192.0.2.10:25", Route{Target: upstream.Target{Mode: upstream.ModeNone}}, "192.0.2.10:25", "192.0.2.10", upstream.ModeNone, session.AppNone},
		{"named", "192.0.2.10:587", Route{Target: named}, "192.0.2.10:587", "smtp.example.com", upstream.ModeSTARTTLS, session.AppNone},
		{"named, another port", "192.0.2.10:25", Route{Target: named}, "192.0.2.10:25", "192.0.2.10", upstream.ModeAuto, session.AppNone},
		{"offered on 465", "192.0.2.10:465", Route{AppTLS: session.AppOffer}, "192.0.2.10:465", "192.0.2.10", upstream.ModeAuto, session.AppImplicit},
		{"none on 465", "192.0.2.10:465", Route{}, "192.0.2.10:465", "192.0.2.10", upstream.ModeAuto, session.AppNone},
		{"implicit on 587", "192.0.2.10:587", Route{AppTLS: session.AppImplicit}, "192.0.2.10:587", "192.0.2.10", upstream.ModeAuto, session.AppOffer},
		{"required on 587", "192.0.2.10:587", Route{AppTLS: session.AppRequire}, "192.0.2.10:587", "192.0.2.10", upstream.ModeAuto, session.AppRequire},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.route.Transparent = true
			got := tt.route.toward(netip.MustParseAddrPort(tt.dest))
			if got.Target.Name != tt.target || got.Target.Mode != tt.mode || got.AppTLS != tt.app {
				t.Errorf("got %+v with app TLS %d of %s, want %s, %s, %d", got.Target, got.AppTLS, tt.dest, tt.target, tt.mode, tt.app)
			}
			if host := got.secured().Host; host != tt.secured {
				t.Errorf("got %s as the certificate's name, want %s", host, tt.secured)
			}
		})
	}
}

// TestOriginalDestinationWithoutRules checks the sockets that nobody has
// redirected, on which the kernel may still have something to tell.
func TestOriginalDestinationWithoutRules(t *testing.T) {
	for listen, dial := range map[string]string{"127.0.0.1:0": "127.0.0.1", "[::1]:0": "::1", ":0": "127.0.0.1"} {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Logf("no %s here: %v", listen, err)
			continue
		}
		defer l.Close()
		want := netip.AddrPortFrom(netip.MustParseAddr(dial), addrOf(l.Addr()).Port())
		far, err := net.Dial("tcp", want.String())
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		near, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close()
		if got := originalDestination(near); got != want {
			t.Errorf("got %s for a connection to %s on a listener at %s", got, want, listen)
		}
	}
}

// TestOwnConnectionComesBack checks that a session whose app is another
// session's upstream leg is seen, whichever of the two looks first.
func TestOwnConnectionComesBack(t *testing.T) {
	route := &Route{Transparent: true, dest: netip.MustParseAddrPort("192.0.2.10:25")}
	near, far := pair(t)
	from := addrOf(near.LocalAddr())
	s := &Server{options: Options{Recorder: NewRecorder()}, sessions: map[*relay]netip.AddrPort{}, dialled: map[*relay]netip.AddrPort{}}
	outer, inner := s.newRelay(near.RemoteAddr().String(), route), s.newRelay(far.RemoteAddr().String(), route)
	defer outer.cancel()
	defer inner.cancel()

	if got := outer.arrival(); got != "connected from "+near.RemoteAddr().String()+", redirected on its way to 192.0.2.10:25" {
		t.Errorf("got %q", got)
	}
	s.sessions[outer] = netip.MustParseAddrPort("192.0.2.1:50000")
	if s.reenters(outer, near) || s.comesBack(outer) {
		t.Error("got a loop before the connection has come back")
	}
	if why := s.undirected(inner, from); !strings.HasPrefix(why, "421 4.3.5 smtp-proxy: the firewall redirects the proxy's own") {
		t.Errorf("got %q for the connection that came back behind the dial", why)
	}
	if why := s.undirected(inner, addrOf(far.LocalAddr())); why != "" {
		t.Errorf("got %q for another app", why)
	}
	s.sessions[inner] = from
	if !s.comesBack(inner) {
		t.Error("got no loop before the inner session dials")
	}

	clear(s.dialled)
	if !s.reenters(outer, near) {
		t.Error("got no loop although the connection had come back before the dial was noted")
	}
	if !inner.m.Over() {
		t.Error("the inner session goes on, and would dial")
	}
}
