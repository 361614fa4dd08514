package inspect

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

func TestSessionJSON(t *testing.T) {
	s := &Session{
		ID: "01JD", Started: start, Ended: start.Add(812400 * time.Microsecond), Route: "default",
		App:      AppLeg{Addr: "127.0.0.1:53212", Helo: "app.local"},
		Upstream: UpstreamLeg{Name: "smtp.gmail.com:587", Addr: "192.0.2.10:587", Provider: "gmail", TLS: &session.TLS{Version: "TLS 1.3"}},
		Auth:     &Auth{Auth: session.Auth{Mechanism: "PLAIN", Username: "me@example.com"}},
		Messages: []Message{{From: "a@example.com"}},
		Outcome:  Rejected,
		Findings: []Finding{{Cause: "recipient.unknown"}},
	}
	got, err := json.Marshal(s)
	want := `{"id":"01JD","started":"2026-11-20T23:51:32.123Z","ended":"2026-11-20T23:51:32.935Z","duration_ms":812.4,"route":"default",` +
		`"app":{"addr":"127.0.0.1:53212","helo":"app.local","tls":null},` +
		`"upstream":{"name":"smtp.gmail.com:587","addr":"192.0.2.10:587","provider":"gmail","tls":{"version":"TLS 1.3","cipher":"","server_name":"","resumed":false,"verified":false,"error":"","chain":[]}},` +
		`"auth":{"mechanism":"PLAIN","username":"me@example.com","accepted":false},` +
		`"messages":[{"from":"a@example.com","to":[],"size":0,"subject":"","message_id":"","code":0,"enhanced":"","text":""}],` +
		`"outcome":"rejected","edits":[],"findings":[{"cause":"recipient.unknown","certainty":"","title":"","explanation":"","side":"","evidence":[],"fix":[],` +
		`"retry":{"advice":"","after_s":0,"schedule_s":[],"text":""},"refs":[]}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestOpenSessionJSON(t *testing.T) {
	got, err := json.Marshal(&Session{ID: "1", Started: start, Outcome: Open, Events: []session.Entry{}})
	for _, want := range []string{`"ended":null,"duration_ms":0.0`, `"auth":null`, `"messages":[]`, `"edits":[]`, `"findings":[]`, `"events":[]`} {
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s (%v)", want, got, err)
		}
	}
	if got, _ := json.Marshal(&Session{}); strings.Contains(string(got), "events") {
		t.Errorf("a session of a list has events: %s", got)
	}
}

func TestSessionJSONRoundTrip(t *testing.T) {
	ms := start.Truncate(time.Millisecond)
	want := &Session{
		ID: "01JD", Started: ms, Ended: ms.Add(time.Second), Route: "r", Linked: "01JC", Outcome: Partial, Phase: session.PhaseDot,
		Messages: []Message{{From: "a", To: []Recipient{{Addr: "b", Code: 250}}, Captured: "full"}}, Edits: []string{"x"}, Codes: []string{"550"},
		Findings: []Finding{}, Dropped: 2, Direct: &Direct{Tested: true, Text: "x"}, Passthrough: true,
		Events: []session.Entry{
			{Seq: 1, At: ms.Add(1500 * time.Microsecond), Leg: session.Upstream, From: session.FromProxy, Kind: session.KindTLS, Phase: session.PhaseTLS,
				TLS: &session.TLS{Version: "TLS 1.3", Chain: []session.Certificate{}, Duration: 12 * time.Millisecond}, Secure: true},
			{Seq: 2, At: ms, From: session.FromUpstream, Kind: session.KindReply, Verb: "MAIL", Code: 250, Enhanced: "2.1.0", Text: "250 2.1.0 ok", Wait: 700 * time.Microsecond, Own: true},
			{Seq: 3, At: ms, Kind: session.KindError, Fault: &session.Fault{Op: "dial", First: []byte{0x16}}, Odd: session.OddGap, Edit: true, Bytes: 7},
		},
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Session
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("got  %+v\nwant %+v\nof   %s", &got, want, b)
	}
}
