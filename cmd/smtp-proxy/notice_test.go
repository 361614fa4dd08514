package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// The end of a certificate is warned of once a day for each upstream.
func TestNotices(t *testing.T) {
	var out bytes.Buffer
	var n notices
	for _, of := range []struct {
		upstream string
		after    time.Duration
	}{{"a:587", 0}, {"a:587", time.Hour}, {"b:25", time.Hour}, {"a:587", 25 * time.Hour}} {
		s := &inspect.Session{Upstream: inspect.UpstreamLeg{Name: of.upstream}, Events: []session.Entry{
			{At: noon.Add(of.after)},
			{At: noon.Add(of.after), Odd: session.OddExpiring, Text: "the smarthost's certificate ends on 2026-12-01"},
		}}
		n.tell(zerolog.New(&out), s)
	}
	if got := strings.Count(out.String(), "ends on 2026-12-01"); got != 3 {
		t.Errorf("warned %d times, want 3:\n%s", got, &out)
	}
}
