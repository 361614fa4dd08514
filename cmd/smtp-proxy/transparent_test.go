package main

import (
	"net/netip"
	"strings"
	"testing"

	"smtp-proxy/policy"
)

func TestHintsOfRedirection(t *testing.T) {
	all := policy.Nets{netip.MustParsePrefix("172.16.0.0/12")}
	tests := map[string]struct {
		route policy.Route
		addr  string
		want  []string
	}{
		"local": {
			policy.Route{TLS: "passthrough"}, "127.0.0.1:1025",
			[]string{"go on to where they were going", "smtp-proxy ca redirect --listen localhost:1025 --user 64 prints", "as with the smarthost itself", "not led here: start with --listen [::]:1025"},
		},
		"forwarded, TLS ends here": {
			policy.Route{Listen: "[::]:1025", AllowFrom: all, AppTLS: "offer"}, "[::]:1025",
			[]string{"--listen [::]:1025 --user 64 --allow-from 172.16.0.0/12 prints", "smtp-proxy ca trust --data /d", "led here from 172.16.0.0/12"},
		},
		"no TLS for the app": {policy.Route{}, "127.0.0.1:1025", []string{"port 465 cannot be served", "--tls passthrough"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := policy.Config{Route: tt.route, Transparent: true}
			h := hints{routes: []hint{{c.All()[0], []netip.AddrPort{netip.MustParseAddrPort(tt.addr)}}}, data: "/d", redirects: c.Redirects, user: 64}
			var out strings.Builder
			h.write(&out)
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got no %q in\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "Put into the app's SMTP settings") {
				t.Errorf("the app has to be told nothing, but got\n%s", out.String())
			}
		})
	}
}
