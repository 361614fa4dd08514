package main

import (
	"bytes"
	"testing"
	"time"

	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// What was left out stands at the end, once for each reason, in columns of
// its own.
func TestSkipped(t *testing.T) {
	skip := func(step, why string) probe.Line { return probe.Line{Step: step, Status: probe.StatusSkip, Text: why} }
	lines := []probe.Line{
		skip("auth", "no user"), skip("mail", "no sender"), {Step: "versions", Status: probe.StatusOK, Text: "TLS 1.3"},
		skip("versions", "no connection"), skip("chain", "no connection"), skip("sni", "no connection"), skip("sni", "no connection"), skip("path-mtu", "no connection"),
		skip("spf", "no sender"), skip("dkim", "no sender"), skip("dmarc", "no sender"),
	}
	const want = `   ok    versions              TLS 1.3
-  skip  auth                  no user
-  skip  mail spf dkim dmarc   no sender
-  skip  versions chain sni    no connection
         path-mtu

mx:25: nothing failed in the steps that were taken
`
	var b bytes.Buffer
	l := ladder{transcript{screen: screen{out: &b, zone: time.UTC}, now: time.Now}}
	for _, rung := range lines {
		l.line(rung)
	}
	r := &examined{examinee: &examinee{target: upstream.Target{Name: "mx:25"}}, partial: true, report: probe.Report{Lines: lines}}
	if err := l.conclude(r, true); err != nil || b.String() != want {
		t.Errorf("%v: got\n%s\nwant\n%s", err, b.String(), want)
	}
}
