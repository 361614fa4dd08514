package policy

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"30d": 30 * 24 * time.Hour, "1.5d": 36 * time.Hour, "2w": 14 * 24 * time.Hour,
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "0": 0,
	} {
		if got, err := ParseSpan(in); err != nil || got != want {
			t.Errorf("ParseSpan(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "d", "30", "-5m", "-1d", "1d12h", "NaNd", "Infd", "99999999d", "1e400w"} {
		if got, err := ParseSpan(bad); err == nil {
			t.Errorf("ParseSpan(%q) = %v, want an error", bad, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"2GB": 2e9, "1GiB": 1 << 30, "500mb": 500e6, "4096": 4096, "1.5k": 1500, "10 MB": 10e6, "7B": 7, "0": 0,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "GB", "-1GB", "two", "NaN", "Inf", "9999999TB", "1 G B"} {
		if got, err := ParseSize(bad); err == nil {
			t.Errorf("ParseSize(%q) = %v, want an error", bad, got)
		}
	}
}

// FuzzParseSpan checks that what is written is read back as the same length.
func FuzzParseSpan(f *testing.F) {
	for _, seed := range []string{"30d", "2w", "1h30m", "20s", "1.5d", "0", "-1d", "1e3w"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseSpan(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("ParseSpan(%q) = %v, want no negative length", text, d)
		}
		if again, err := ParseSpan(FormatSpan(d)); err != nil || again != d {
			t.Fatalf("ParseSpan(FormatSpan(%v)) = %v, %v, from %q", d, again, err, text)
		}
	})
}

// FuzzParseSize checks the same of sizes.
func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"2GB", "1GiB", "4096", "1.5k", "-1", "1e3MB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseSize(text)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("ParseSize(%q) = %d, want no negative size", text, n)
		}
		again, err := ParseSize(FormatSize(n))
		// Sizes pass through a float: above 2^53 the last digits are its.
		if n < 1<<53 && (err != nil || again != n) {
			t.Fatalf("ParseSize(FormatSize(%d)) = %d, %v, from %q", n, again, err, text)
		}
	})
}
