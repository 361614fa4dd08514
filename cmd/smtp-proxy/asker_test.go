package main

import (
	"testing"

	"smtp-proxy/upstream"
)

// Probes of a redirected session look for the certificate under the name that
// --upstream gives for its port, as the session did.
func TestRedirectedTarget(t *testing.T) {
	named := upstream.Target{Name: "smtp.example.com:587", Host: "smtp.example.com", Port: 587, Mode: upstream.ModeSTARTTLS}
	for _, test := range []struct {
		known upstream.Target
		dest  string
		want  upstream.Target
	}{
		{named, "192.0.2.25:587", upstream.Target{Name: "192.0.2.25:587", Host: "smtp.example.com", Port: 587, Mode: upstream.ModeSTARTTLS}},
		{named, "[2001:db8::25]:465", upstream.Target{Name: "[2001:db8::25]:465", Host: "2001:db8::25", Port: 465, Mode: upstream.ModeAuto}},
		{upstream.Target{Mode: upstream.ModeNone}, "192.0.2.25:25", upstream.Target{Name: "192.0.2.25:25", Host: "192.0.2.25", Port: 25, Mode: upstream.ModeNone}},
	} {
		got, err := redirectedTarget(test.known, test.dest)
		if err != nil || got != test.want {
			t.Errorf("redirectedTarget(%+v, %s): got %+v, %v, want %+v", test.known, test.dest, got, err, test.want)
		}
	}
	if got, err := redirectedTarget(named, "no address"); err == nil {
		t.Errorf("redirectedTarget of no address: got %+v, want an error", got)
	}
}
