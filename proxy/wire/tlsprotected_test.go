package wire

import (
	"strings"
	"testing"
)

// modernAnswer is a ServerHello of TLS 1.3 that takes a suite.
func modernAnswer(suite uint16) string {
	return handshakeRecord(msgServerHello, "\x03\x03"+strings.Repeat("r", 32)+"\x00"+string([]byte{byte(suite >> 8), byte(suite)})+
		"\x00\x00\x06\x00\x2b\x00\x02\x03\x04")
}

// sealed makes protected records of the given sizes.
func sealed(sizes ...int) string {
	var b strings.Builder
	for _, n := range sizes {
		b.WriteString(record(recordData, strings.Repeat("d", n)))
	}
	return b.String()
}

// TestSealedSizes reads what TLS 1.3 shows behind the ServerHello: sizes. The
// app is the first to speak.
func TestSealedSizes(t *testing.T) {
	const (
		sha256 = 0x1301
		sha384 = 0x1302
		ccm8   = 0x1305
	)
	good := outcome{stage: TLSEstablished, finished: true, alert: none}
	asked := outcome{stage: TLSEstablished, finished: true, alert: none, asked: true}
	appAlert := outcome{stage: TLSServerFlight, alert: none, hidden: [2]bool{true, false}, done: true}
	with := func(o outcome, change func(*outcome)) outcome { change(&o); return o }
	done := func(o *outcome) { o.done = true }
	refused := func(o *outcome) { o.hidden[TLSUpstream], o.done = true, true }
	left := func(o *outcome) { o.hidden[TLSApp], o.done = true, true }
	tests := []struct {
		name  string
		suite uint16
		say   []said // behind the app's hello; the upstream's answer is put in front of its first
		want  outcome
	}{
		{"a Finished", sha256, words("", sealed(23, 900, 281, 53), sealed(53)), good},
		{"the hash of another suite", sha256, words("", sealed(23, 900, 281, 53), sealed(69)), good}, // padded, as Java's
		{"of SHA-384", sha384, words("", sealed(23, 900, 281, 69), sealed(69)), good},
		{"with a short tag", ccm8, words("", sealed(15, 900, 281, 45), sealed(45)), good},
		{"an alert", sha256, words("", sealed(23, 900, 281, 53), sealed(19)), appAlert},
		{"an alert of Java", sha256, words("", sealed(23, 900, 281, 53), sealed(35)), appAlert},
		{"an alert with a short tag", ccm8, words("", sealed(15, 900, 281, 45), sealed(11)), appAlert},
		{"an alert of the upstream", sha256, words("", sealed(23, 19)), outcome{stage: TLSAnswered, alert: none, hidden: [2]bool{false, true}, done: true}},
		{"extensions of an alert's size with Java's padding", sha256, words("", sealed(35, 900, 281, 53), sealed(53)), good},
		{"no certificate", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(25, 53)), asked},
		{"no certificate, in one record", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(61)), asked},
		{"no certificate, of Java", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(41, 69)), asked},
		{"a certificate", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(900, 281, 53)), asked},
		{"a certificate, in one record", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(1200), sealed(250)), good},
		{"a certificate in one record, refused", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(1200), sealed(19)),
			outcome{stage: TLSServerFlight, alert: none, hidden: [2]bool{false, true}, done: true}},
		{"refused behind the Finished", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(25, 53), sealed(19)), with(asked, refused)},
		{"refused behind the first word", sha256, words("", sealed(23, 60, 900, 281, 53), sealed(25, 53, 40), sealed(19)), with(asked, refused)},
		{"refused by Java", sha256, words("", sealed(39, 900, 281, 69), sealed(25, 53), sealed(35)), with(asked, refused)},
		{"a short word of one that does not pad", sha256, words("", sealed(23, 900, 281, 53), sealed(53), sealed(35)), good},
		{"left at once", sha256, words("", sealed(23, 900, 281, 53), sealed(53), sealed(250, 250), sealed(19)), with(good, left)},
		{"Java left at once", sha256, words("", sealed(23, 900, 281, 53), sealed(69), sealed(250, 250), sealed(35)), with(good, left)},
		{"a word and an answer", sha256, words("", sealed(23, 900, 281, 53), sealed(53, 40), sealed(250, 19)), with(good, done)},
		{"a greeting first", sha256, words("", sealed(23, 900, 281, 53), sealed(53), sealed(60), sealed(40)), with(good, done)},
		{"tickets in the flight", sha256, words("", sealed(23, 900, 281, 53, 250), sealed(53), sealed(60)), good},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.say[0].b = []byte(hello())
			tt.say[1].b = append([]byte(modernAnswer(tt.suite)), tt.say[1].b...)
			if got := outcomeOf(observe(tt.say, 0)); got != tt.want {
				t.Errorf("got %+v, want %+v; dialogue:\n%s", got, tt.want, sizes(tt.say))
			}
			sameInPieces(t, tt.say)
		})
	}
}

// TestSealedEarlier reads what TLS 1.2 shows behind ChangeCipherSpec: types.
func TestSealedEarlier(t *testing.T) {
	flight := answer() + handshakeRecord(msgServerHelloDone, "")
	end := record(recordCCS, "\x01") + record(recordHandshake, strings.Repeat("f", 40))
	bad := record(recordCCS, "\x01") + record(recordAlert, strings.Repeat("a", 26))
	data, alert := record(recordData, "dddd"), record(recordAlert, strings.Repeat("a", 26))
	good := outcome{stage: TLSEstablished, finished: true, alert: none}
	tests := []struct {
		name string
		say  []said
		want outcome
	}{
		{"complete", words(hello(), flight, end, end), good},
		{"an alert for a Finished", words(hello(), flight, bad), outcome{stage: TLSServerFlight, alert: none, hidden: [2]bool{true, false}, done: true}},
		{"an alert of the upstream for one", words(hello(), flight, end, bad), outcome{stage: TLSAppFlight, alert: none, hidden: [2]bool{false, true}, done: true}},
		{"false start", words(hello(), flight, end+data, end), good},
		{"false start, and an answer", words(hello(), flight, end+data, end+data), outcome{stage: TLSEstablished, finished: true, alert: none, done: true}},
		{"left at once", words(hello(), flight, end, end, alert), outcome{stage: TLSEstablished, finished: true, alert: none, hidden: [2]bool{true, false}, done: true}},
		{"left behind a word", words(hello(), flight, end, end, data+alert), outcome{stage: TLSEstablished, finished: true, alert: none, done: true}},
		{"negotiated anew", words(hello(), flight, end, end, record(recordHandshake, "sealed"), record(recordHandshake, "sealed")), outcome{stage: TLSEstablished, finished: true, alert: none, done: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcomeOf(observe(tt.say, 0)); got != tt.want {
				t.Errorf("got %+v, want %+v; dialogue:\n%s", got, tt.want, sizes(tt.say))
			}
			sameInPieces(t, tt.say)
		})
	}
}
