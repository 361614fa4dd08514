package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacer(t *testing.T) {
	for _, test := range []struct {
		rate   string
		beyond bool
		want   time.Duration // for eleven beginnings
	}{
		{"", false, 0},
		{"", true, 2 * time.Second},
		{"none", true, 0},
		{"10/s", true, time.Second},
		{"10/s", false, time.Second},
		{"60/m", false, 10 * time.Second},
		{"2", false, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var p pacer
			if test.rate != "" {
				if err := p.rate.Set(test.rate); err != nil {
					t.Fatal(err)
				}
			}
			begun := time.Now()
			for range 11 {
				if err := p.wait(t.Context(), test.beyond); err != nil {
					t.Fatal(err)
				}
			}
			if got := time.Since(begun); got != test.want {
				t.Errorf("eleven sessions with --rate %q, beyond this machine %t: got %s, want %s", test.rate, test.beyond, got, test.want)
			}
		})
	}
}

func TestPacerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{rate: rate{every: time.Hour, given: true}}
		ctx, cancel := context.WithCancel(t.Context())
		if err := p.wait(ctx, false); err != nil {
			t.Fatalf("the first: got %v, want none", err)
		}
		time.AfterFunc(time.Minute, cancel)
		begun := time.Now()
		if err := p.wait(ctx, false); err == nil || time.Since(begun) != time.Minute {
			t.Errorf("the second, interrupted after a minute: got %v after %s, want an error at once", err, time.Since(begun))
		}
	})
}

func TestRate(t *testing.T) {
	for text, want := range map[string]string{
		"10/s": "10/s", "0.5/s": "0.5/s", "600/m": "10/s", "3600/h": "1/s", "5": "5/s", "none": "none",
		"": "", "0/s": "", "-1/s": "", "10/d": "", "x/s": "", "NaN/s": "", "Inf/s": "", "1e9/s": "", "1e-9/s": "", "10/": "",
	} {
		var r rate
		err := r.Set(text)
		if got := r.String(); got != want || (err == nil) != (want != "") {
			t.Errorf("--rate %q: got %q and %v, want %q", text, got, err, want)
		}
	}
}
