package wire

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// record makes a TLS record.
func record(kind byte, content string) string {
	return string(appendVector([]byte{kind, 3, 3}, 2, []byte(content)))
}

// handshakeRecord makes a record with one handshake message.
func handshakeRecord(kind byte, body string) string {
	return record(recordHandshake, string(appendVector([]byte{kind}, 3, []byte(body))))
}

// hello is a ClientHello as it goes on the wire.
func hello() string {
	h := &ClientHello{Version: VersionTLS12, Suites: []uint16{0xc02f}, Groups: []uint16{29}}
	return string(h.AppendRecord(nil, [32]byte{}, nil))
}

// answer is a ServerHello of TLS 1.2.
func answer() string {
	return handshakeRecord(msgServerHello, "\x03\x03"+strings.Repeat("r", 32)+"\x00\xc0\x2f\x00")
}

func words(of ...string) (dialogue []said) {
	for i, text := range of {
		dialogue = append(dialogue, said{i % 2, []byte(text)})
	}
	return dialogue
}

// noTLS and corrupt are lines of what is seen.
func noTLS(side, quoted string) string {
	return side + ": alert none, warned none, hidden alert false, spoke on false, no TLS " + quoted + `, corrupt ""`
}

func corrupt(side, why string) string {
	return side + `: alert none, warned none, hidden alert false, spoke on false, no TLS "", corrupt "` + why + `"`
}

func TestObserverOnOddPeers(t *testing.T) {
	tests := []struct {
		name string
		say  []said // the app first, then in turn
		want string // a line of what is seen
	}{
		{"text for an answer", words(hello(), "220 smtp.example.com ESMTP\r\nmore"), noTLS("upstream", `"220 smtp.example.com ESMTP\r\n"`)},
		{"text without an end", words(hello(), strings.Repeat("2", 100)), noTLS("upstream", `"`+strings.Repeat("2", 64)+`"`)},
		{"half a line", words(hello(), "22"), `stage 1, finished false, done false`},
		{"text of the app", words("EHLO app\r\n"), noTLS("app", `"EHLO app\r\n"`)},
		{"a version that is none", words("\x16\x04\x01\x00\x05hello\n"), noTLS("app", `"\x16\x04\x01\x00\x05hello\n"`)},
		{"text behind the answer", words(hello(), answer()+"421 bye\r\n"), corrupt("upstream", "34 where a TLS record was due")},
		{"a record too long", words(hello(), answer()+"\x16\x03\x03\xff\xff"), corrupt("upstream", "16 03 03 ff ff where a TLS record was due")},
		{"no hello at first", words(handshakeRecord(11, "")), corrupt("app", "handshake message of type 11 where a hello was due")},
		{"a hello too long", words("\x16\x03\x01\x40\x00\x01\x00\x40\x01"), corrupt("app", "handshake message of type 1 with 16385 octets")},
		{"certificates too long", words(hello(), answer()+record(recordHandshake, "\x0b\x01\x00\x01")), corrupt("upstream", "handshake message of type 11 with 65537 octets")},
		{"a hello cut short", words(handshakeRecord(1, "\x03\x03")), corrupt("app", "ClientHello: the lengths in it do not add up")},
		{"an empty certificate", words(hello(), answer()+handshakeRecord(11, "\x00\x00\x03\x00\x00\x00")), corrupt("upstream", "certificate list: an empty certificate")},
		{"data at once", words(hello(), record(recordData, "250 ok")), corrupt("upstream", "application data where a handshake was due")},
		{"a long alert in clear", words(hello(), record(recordAlert, "\x02\x28\x00")), corrupt("upstream", "alert of 3 octets")},
		{"a fatal alert", words(hello(), record(recordAlert, "\x02\x28")), `upstream: alert 40, warned none, hidden alert false, spoke on false, no TLS "", corrupt ""`},
		{"a failure sent as a warning", words(hello(), answer(), record(recordAlert, "\x01\x2a")), `app: alert 42, warned none, hidden alert false, spoke on false, no TLS "", corrupt ""`},
		{"a lax server's warning", words(hello(), record(recordAlert, "\x01\x70")+answer()), `upstream: alert none, warned 112, hidden alert false, spoke on false, no TLS "", corrupt ""`},
		{"which does not stop it", words(hello(), record(recordAlert, "\x01\x70")+answer()), `stage 2, finished false, done false`},
		{"a hello of SSL 2.0", words("\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x05" + strings.Repeat("c", 16)), `app offers t10i000000_000000000000_000000000000 to "" in TLS 1.0, 0 suites, groups ; early data false`},
		{"and its answer", words("\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80"+strings.Repeat("c", 16), answer()), `stage 2, finished false, done false`},
		{"octets of an SSL 2.0 that is none", words("\x80\x1c\x02\n"), noTLS("app", `"\x80\x1c\x02\n"`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(observe(tt.say, 0)); !strings.Contains(got, tt.want+"\n") {
				t.Errorf("got:\n%swant a line:\n%s\ninput %v", got, tt.want, tt.say)
			}
			sameInPieces(t, tt.say)
		})
	}
}

func TestOwes(t *testing.T) {
	done := handshakeRecord(msgServerHelloDone, "")
	sealed := record(recordCCS, "\x01") + record(recordHandshake, strings.Repeat("f", 40))
	retry := handshakeRecord(msgServerHello, "\x03\x03"+retryRandom+"\x00\x13\x01\x00\x00\x0c\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x02\x00\x17")
	modern := handshakeRecord(msgServerHello, "\x03\x03"+strings.Repeat("r", 32)+"\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04")
	data := func(n int) string { return record(recordData, strings.Repeat("d", n)) }
	tests := []struct {
		name string
		say  []said
		want int // -1 for nobody
	}{
		{"nothing yet", nil, TLSApp},
		{"half a hello", words(hello()[:20]), TLSApp},
		{"a hello", words(hello()), TLSUpstream},
		{"a retry is asked for", words(hello(), retry), TLSApp},
		{"and comes", words(hello(), retry, hello()), TLSUpstream},
		{"an answer", words(hello(), answer()), TLSUpstream},
		{"a flight", words(hello(), answer()+done), TLSApp},
		{"half the app's", words(hello(), answer()+done, sealed[:20]), TLSApp},
		{"the app's", words(hello(), answer()+done, sealed), TLSUpstream},
		{"both", words(hello(), answer()+done, sealed, sealed), -1},
		{"a resumption", words(hello(), answer()+sealed), TLSApp},
		{"TLS 1.3: an answer", words(hello(), modern), TLSUpstream},
		{"TLS 1.3: the extensions only", words(hello(), modern+data(27)), TLSUpstream},
		{"TLS 1.3: cut short", words(hello(), modern+data(27)+data(900)[:500]), TLSUpstream},
		{"TLS 1.3: small records only", words(hello(), modern+data(27)+data(90)), TLSUpstream},
		{"TLS 1.3: no Finished", words(hello(), modern+data(27)+data(900)+data(281)), TLSUpstream},
		{"TLS 1.3: in one record", words(hello(), modern+data(1200)), TLSApp},
		{"TLS 1.3: padded", words(hello(), modern+data(80)+data(928)+data(336)+data(80)), TLSApp},
		{"TLS 1.3: a flight with tickets", words(hello(), modern+data(27)+data(900)+data(281)+data(53)+data(250)), TLSApp},
		{"TLS 1.3: a flight of Java", words(hello(), modern+data(65)+data(900)+data(281)+data(69)), TLSApp},
		{"TLS 1.3: a flight", words(hello(), modern+data(27)+data(900)+data(281)+data(53)), TLSApp},
		{"TLS 1.3: the app's", words(hello(), modern+data(27)+data(900)+data(281)+data(53), data(53)), -1},
	}
	for _, tt := range tests {
		o := observe(tt.say, 0)
		got, ok := o.Owes()
		if !ok {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%s: got %d, want %d; seen:\n%s", tt.name, got, tt.want, describe(o))
		}
	}
}

func TestFlights(t *testing.T) {
	o := &TLSObserver{}
	h, a := []byte(hello()), []byte(answer())
	o.App(h[:10], 5*time.Millisecond)
	o.App(h[10:], 6*time.Millisecond)
	o.Upstream(a, 25*time.Millisecond)
	want := []TLSFlight{
		{From: TLSApp, Records: 1, Bytes: int64(len(h))},
		{From: TLSUpstream, Records: 1, Bytes: int64(len(a)), At: 20 * time.Millisecond},
	}
	if got := o.Seen().Flights; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestObserverIsBounded sends what never ends.
func TestObserverIsBounded(t *testing.T) {
	heartbeat := []byte(record(recordHeartbeat, strings.Repeat("h", 1000)))
	var o TLSObserver
	sent := 0
	for o.App([]byte(hello()), 0); !o.Done(); sent++ {
		o.Upstream(heartbeat, 0)
		o.App(heartbeat, 0)
		if sent > 2*maxObserved/len(heartbeat) {
			t.Fatalf("still read after %d records", sent)
		}
	}
	seen := o.Seen()
	if len(seen.Flights) != maxFlights || seen.Corrupt == [2]string{} {
		t.Errorf("got %d flights, corrupt %q", len(seen.Flights), seen.Corrupt)
	}
	if last := seen.Flights[maxFlights-2:]; last[0].From == last[1].From || last[1].Records < sent-maxFlights {
		t.Errorf("got last flights %+v of %d records a side", last, sent)
	}
}

// TestUnansweredBulkIsBounded lets one side talk alone behind the handshake.
func TestUnansweredBulkIsBounded(t *testing.T) {
	o := observe(words(hello(), modernAnswer(0x1301)+sealed(23, 900, 281, 53), sealed(53)), 0)
	bulk := []byte(sealed(16000))
	for n := 0; !o.Done(); n += len(bulk) {
		if n > 2*maxObserved {
			t.Fatalf("still read after %d octets", n)
		}
		o.App(bulk, 0)
	}
	if seen := o.Seen(); !seen.Finished || seen.Corrupt != [2]string{} {
		t.Errorf("got:\n%s", describe(o))
	}
}

func TestAfterDoneNothingIsRead(t *testing.T) {
	o := observe(words(hello(), record(recordAlert, "\x02\x28")), 0)
	before := describe(o)
	bulk := bytes.Repeat([]byte{recordData}, 1<<16)
	if n := testing.AllocsPerRun(100, func() { o.App(bulk, 0); o.Upstream(bulk, 0) }); n != 0 {
		t.Errorf("got %v allocations a call", n)
	}
	if after := describe(o); after != before {
		t.Errorf("got:\n%swant:\n%s", after, before)
	}
}
