package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/replay"
)

// twoSessions are a pair with one difference of each kind.
func twoSessions() comparedSessions {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	return comparedSessions{
		sides: [2]*inspect.Session{
			{ID: "01A", Started: at, Outcome: inspect.Delivered, Upstream: inspect.UpstreamLeg{Name: "mx.example.com:25"}},
			{ID: "01B", Started: at.Add(time.Hour), Outcome: inspect.Rejected, Upstream: inspect.UpstreamLeg{Name: "mx.example.com:25"}},
		},
		found: []replay.Difference{
			{Where: "outcome", A: "delivered", B: "rejected", Why: "not the same"},
			{Where: "RCPT", A: "250 2.1.5 Ok", B: "550 5.1.1 \x1b[31mNo\u202esuch user", Why: "250 2.1.5 in the first, 550 5.1.1 in the second"},
			{Where: "edit", A: "", B: "added STARTTLS", Why: "only in the second"},
		},
	}
}

// What is left and right, or above and below, is told by place and mark, and
// what a peer sent cannot drive the terminal.
func TestDiffIsShown(t *testing.T) {
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, `< 01A  09:00:00.000  mx.example.com:25  delivered
> 01B  10:00:00.000  mx.example.com:25  rejected

! outcome
    < delivered
    > rejected
! RCPT: 250 2.1.5 in the first, 550 5.1.1 in the second
    < 250 2.1.5 Ok
    > 550 5.1.1 \x1b[31mNo\u202esuch user
> edit: only in the second
    > added STARTTLS

3 differences
`},
		{84, `< 01A  09:00:00.000  mx.example.com:25  delivered
> 01B  10:00:00.000  mx.example.com:25  rejected

! outcome
  delivered                                 rejected
! RCPT: 250 2.1.5 in the first, 550 5.1.1 in the second
  250 2.1.5 Ok                              550 5.1.1 \x1b[31mNo\u202esuch user
> edit: only in the second
  -                                         added STARTTLS

3 differences
`},
	} {
		var b bytes.Buffer
		now := func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
		v := comparison{transcript: transcript{screen: screen{out: &b, width: test.width, zone: time.UTC}, now: now}}
		if err := twoSessions().show(v); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != test.want {
			t.Errorf("in %d columns\n got\n%s\nwant\n%s", test.width, got, test.want)
		}
	}
}

func TestSessionDifferences(t *testing.T) {
	message := func(subject string, size int64) []inspect.Message {
		return []inspect.Message{{Subject: subject, Size: size}}
	}
	for _, test := range []struct {
		name string
		a, b inspect.Session
		want []string
	}{
		{"nothing", inspect.Session{}, inspect.Session{}, nil},
		{"outcome", inspect.Session{Outcome: inspect.Delivered}, inspect.Session{Outcome: inspect.Rejected}, []string{"outcome"}},
		{"finding", inspect.Session{}, inspect.Session{Findings: []inspect.Finding{{Cause: "recipient.unknown"}}}, []string{"finding"}},
		{
			"the words of a finding",
			inspect.Session{Findings: []inspect.Finding{{Cause: "recipient.unknown", Title: "a"}}},
			inspect.Session{Findings: []inspect.Finding{{Cause: "recipient.unknown", Title: "b"}}}, nil,
		},
		{"the port of a sandbox", inspect.Session{Upstream: inspect.UpstreamLeg{Name: "sandbox:1"}}, inspect.Session{Upstream: inspect.UpstreamLeg{Name: "sandbox:2"}}, nil},
		{"another upstream", inspect.Session{Upstream: inspect.UpstreamLeg{Name: "a:25"}}, inspect.Session{Upstream: inspect.UpstreamLeg{Name: "b:25"}}, []string{"upstream"}},
		{"passthrough", inspect.Session{}, inspect.Session{Passthrough: true}, []string{"mode of TLS"}},
		{"a boundary", inspect.Session{Messages: message("hello", 1000)}, inspect.Session{Messages: message("hello", 1040)}, nil},
		{"size and subject", inspect.Session{Messages: message("hello", 1000)}, inspect.Session{Messages: message("bye", 90000)}, []string{"subject", "size"}},
		{"not sent", inspect.Session{Messages: message("hello", 1000)}, inspect.Session{Messages: message("", 0)}, nil},
		{"no message", inspect.Session{Messages: message("hello", 1000)}, inspect.Session{}, []string{"messages"}},
	} {
		var got []string
		for _, d := range sessionDifferences(&test.a, &test.b) {
			got = append(got, d.Where)
		}
		if strings.Join(got, "; ") != strings.Join(test.want, "; ") {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
