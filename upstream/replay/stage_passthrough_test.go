package replay_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// Of TLS that was the app's and the smarthost's own the clear part is played,
// and what is missing is said.
func TestStageOfPassthrough(t *testing.T) {
	f, err := testenv.StartFault("recipient.unknown", testenv.FaultOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r := startRelay(t, f, func(o *proxy.Options) { o.Routes[0].Passthrough = true })
	first := meet(t, f, r.addr, trusting(f))
	r.await(patience)
	recordings := r.recordings()
	lacks := replay.Learn(recordings...).Lacks()
	if !slices.ContainsFunc(lacks, func(l string) bool { return strings.Contains(l, "--tls passthrough") }) {
		t.Errorf("got %q, want word of what is missing", lacks)
	}
	s := serve(t, replay.StageOptions{}, recordings...)
	again := meet(t, f, s.addr, testenv.Trust(s.roots))
	if first.phase != "rcpt" || again.phase != "helo" && again.phase != "mail" || !strings.Contains(again.reply, "smtp-proxy: the recording ends before") {
		t.Errorf("got %+v after %+v, want the recording's end said under TLS", again, first)
	}
}

// What was recorded where plaintext came and TLS was due goes on in clear.
func TestStageSpeaksWhereTLSWasDue(t *testing.T) {
	_, recordings := recordFault(t, "tls.plaintext-expected")
	s := serve(t, replay.StageOptions{}, recordings...)
	if err := s.say(t, "<- 220*\n-> EHLO app\n<- 421 4.3.0 smtp-proxy: the recording ends before EHLO"); err != nil {
		t.Error(err)
	}
}
