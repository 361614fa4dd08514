package rules

import (
	"fmt"
	"testing"
)

// BenchmarkProvider asks who an upstream is: one that its host name tells, one
// that its greeting tells, and one that nothing tells. Nothing but looking for
// every known word once is the baseline.
func BenchmarkProvider(b *testing.B) {
	set, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	ehlo := "250-mx.example.com\n250-PIPELINING\n250-SIZE 10240000\n250-STARTTLS\n250 8BITMIME"
	for name, h := range map[string]Hints{
		"host":    {Host: "smtp.gmail.com", Banner: "220 smtp.gmail.com ESMTP", EHLO: ehlo},
		"banner":  {Host: "192.0.2.1", Banner: "220 mx.example.com ESMTP Postfix", EHLO: ehlo},
		"unknown": {Host: "192.0.2.1", Banner: "220 mx.example.com ESMTP", EHLO: ehlo},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Provider(h)
			}
		})
	}
	b.Run("baseline", func(b *testing.B) {
		for b.Loop() {
			for _, p := range set.providers {
				containsAny(ehlo, p.Banner)
				containsAny(ehlo, p.EHLO)
			}
		}
	})
}

// BenchmarkMatchMany reads a reply with the rules that there are, and with as
// many again and again: what a rule adds should not grow with their number.
func BenchmarkMatchMany(b *testing.B) {
	set, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	reply := Symptom{Phase: "rcpt", Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "5.1.1 <nobody@example.net>: Recipient address rejected: User unknown in virtual mailbox table"}
	all := set.rules
	for _, times := range []int{1, 2, 4} {
		more := &Set{causes: set.causes, byID: set.byID, providers: set.providers}
		for range times {
			more.rules = append(more.rules, all...)
		}
		more.index = newIndex(more.rules)
		b.Run(fmt.Sprintf("rules=%d", len(more.rules)), func(b *testing.B) {
			for b.Loop() {
				more.Match(reply)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(more.rules)), "ns/rule")
		})
	}
}
