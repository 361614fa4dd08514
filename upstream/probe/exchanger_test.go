package probe_test

import (
	"testing"

	"smtp-proxy/upstream/probe"
)

// TestExchangerAtSubmission has a mail exchanger that takes submissions, too:
// what senders between domains go by is not about those ports.
func TestExchangerAtSubmission(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.A("mx.good.example", "127.0.0.1")
	w.dns.MX("good.example", "10 mx.good.example.")
	for _, port := range []int{465, 587, 2525} {
		for _, step := range []string{"dane", "mta-sts"} {
			expect(t, step, w.ladder(t, at("mx.good.example", port), probe.Wanted{}, step),
				"skip senders go by DANE and MTA-STS at port 25: check mx.good.example:25")
		}
	}
}
