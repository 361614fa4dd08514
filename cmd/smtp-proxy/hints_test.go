package main

import (
	"net/netip"
	"strings"
	"testing"

	"smtp-proxy/policy"
)

func TestHints(t *testing.T) {
	addrs := func(texts ...string) (all []netip.AddrPort) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddrPort(text))
		}
		return all
	}
	nets := func(t *testing.T, text string) policy.Nets {
		all, err := policy.ParseNets(text)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	route := func(change func(*policy.Route)) policy.Route {
		r := policy.Config{Route: policy.Route{Upstream: "smtp.example.com:587"}}.All()[0]
		change(&r)
		return r
	}
	for name, test := range map[string]struct {
		hints hints
		want  []string
		not   string
	}{
		"loopback": {
			hints{routes: []hint{{route(func(*policy.Route) {}), addrs("127.0.0.1:1025", "[::1]:1025")}}, keeps: true, web: "127.0.0.1:8025"},
			[]string{"smtp.example.com:587", "localhost (127.0.0.1 or ::1)", "port       1025", "TLS        none", "--listen 0.0.0.0:1025 --allow-from", "host.docker.internal:1025", "smtp-proxy tail\n", "http://127.0.0.1:8025/readyz"},
			"--data",
		},
		"all interfaces, a directory": {
			hints{routes: []hint{{route(func(r *policy.Route) { r.AppTLS = "require"; r.AllowFrom = nets(t, "127.0.0.0/8") }), addrs("0.0.0.0:2500")}}, data: "/d", keeps: true},
			[]string{"localhost, or this machine's name", "STARTTLS; trust the local authority: smtp-proxy ca trust --data /d", "host.docker.internal:2500", "--add-host", "tail --data /d"},
			"readyz",
		},
		"containers only": {
			hints{routes: []hint{{route(func(r *policy.Route) { r.AllowFrom = nets(t, "172.16.0.0/12") }), addrs("0.0.0.0:1025")}}},
			[]string{"--allow-from leaves localhost out"},
			"or localhost",
		},
		"sandbox, no record": {
			hints{routes: []hint{{route(func(r *policy.Route) { r.Upstream = "sandbox"; r.AppTLS = "implicit" }), addrs("127.0.0.1:1025")}}},
			[]string{"the embedded sandbox, which delivers nothing", "SSL/TLS from the start", "host       127.0.0.1\n"},
			"tail",
		},
		"passthrough": {
			hints{routes: []hint{{route(func(r *policy.Route) { r.TLS, r.AppTLS = "passthrough", "require" }), addrs("127.0.0.1:1025", "[::1]:1025")}}},
			[]string{"TLS        as with the smarthost itself", "connect to smtp.example.com:", "in its /etc/hosts: 127.0.0.1 smtp.example.com)", "--transparent"},
			"local authority",
		},
		"two routes": {
			hints{routes: []hint{{route(func(*policy.Route) {}), addrs("127.0.0.1:1")}, {route(func(r *policy.Route) { r.Name = "ses"; r.UpstreamTLS = "none" }), addrs("127.0.0.1:2")}}},
			[]string{"(route default)", "(route ses)", "--upstream-tls none forbids it"},
			"readyz",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			test.hints.write(&out)
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got\n%s\nwant %q in it", &out, want)
				}
			}
			if strings.Contains(out.String(), test.not) {
				t.Errorf("got\n%s\nwant no %q in it", &out, test.not)
			}
		})
	}
}
