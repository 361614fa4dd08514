package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// BenchmarkHistory diagnoses and remembers sessions to an upstream of which as
// much is known as is kept: a hundred sessions of many apps.
func BenchmarkHistory(b *testing.B) {
	c := newCourse(b, diagnose.Options{})
	for i := range 100 {
		c.run(c.session(strings.ReplaceAll(wellDone, "me@example.com", fmt.Sprintf("me%d@example.com", i%50))))
	}
	for name, dialogue := range map[string]string{
		"healthy": wellDone,
		"failing": replaced("SIZE 1000000", "SIZE 1000", "U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"),
	} {
		s := c.session(dialogue)
		findings := c.engine.Annotate(s)
		b.Run(name+"/annotate", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.engine.Annotate(s)
			}
		})
		b.Run(name+"/remember", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.engine.Remember(s, findings)
			}
		})
	}
	without := newCourse(b, diagnose.Options{})
	s := without.session(replaced("SIZE 1000000", "SIZE 1000", "U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"))
	b.Run("failing/annotate-without-history", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			without.engine.Annotate(s)
		}
	})
}
