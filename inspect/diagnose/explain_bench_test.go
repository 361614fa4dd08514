package diagnose_test

import (
	"os"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
)

// BenchmarkStart measures what a command needs before it can explain: reading
// all rules and making an engine.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		set, err := rules.Load()
		if err != nil {
			b.Fatal(err)
		}
		diagnose.New(set, diagnose.Options{})
	}
}

// BenchmarkExplainMany measures the mean over texts of all kinds: what one
// costs varies with its words.
func BenchmarkExplainMany(b *testing.B) {
	for _, name := range []string{"replies", "clients"} {
		b.Run(name, func(b *testing.B) {
			text, err := os.ReadFile("testdata/" + name + ".txt")
			if err != nil {
				b.Fatal(err)
			}
			var texts []string
			for line := range strings.Lines(string(text)) {
				if _, words, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
					texts = append(texts, words)
				}
			}
			e := engine(b, diagnose.Options{})
			for _, words := range texts { // expressions are compiled when first needed
				e.Explain(words, "")
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e.Explain(texts[i%len(texts)], "")
			}
		})
	}
}
