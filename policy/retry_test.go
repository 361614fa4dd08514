package policy_test

import (
	"testing"
	"time"

	"smtp-proxy/policy"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestAdvice(t *testing.T) {
	for _, tt := range []struct {
		class  policy.Class
		code   int
		text   string
		advice string
		after  time.Duration
	}{
		{policy.ClassNever, 550, "no such user, try again in 5 minutes", policy.RetryNever, 0},
		{policy.ClassFix, 554, "relay access denied", policy.RetryAfterFix, 0},
		{policy.ClassNow, 421, "", policy.RetryNow, 0},
		{policy.ClassNow, 421, "try again in 30 seconds", policy.RetryNow, 30 * time.Second},
		{policy.ClassBusy, 451, "local error", policy.RetryLater, 5 * time.Minute},
		{policy.ClassGreylist, 450, "greylisted for 600 seconds", policy.RetryLater, 10 * time.Minute},
		{policy.ClassQuota, 550, "daily quota exceeded", policy.RetryLater, time.Hour},
		{policy.ClassByCode, 421, "", policy.RetryLater, 5 * time.Minute},
		{policy.ClassByCode, 554, "", policy.RetryAfterFix, 0},
		{policy.ClassByCode, 0, "", policy.RetryLater, 5 * time.Minute},
		{policy.ClassByCodeRecipient, 450, "", policy.RetryLater, 5 * time.Minute},
		{policy.ClassByCodeRecipient, 550, "", policy.RetryNever, 0},
		{policy.Class("unheard of"), 550, "", policy.RetryAfterFix, 0},
	} {
		got := policy.Advice(tt.class, policy.Said{Code: tt.code, Text: tt.text, At: noon})
		if got.Advice != tt.advice || got.After != tt.after || got.Text == "" {
			t.Errorf("Advice(%s, %d, %q) = %s after %s %q, want %s after %s",
				tt.class, tt.code, tt.text, got.Advice, got.After, got.Text, tt.advice, tt.after)
		}
	}
}

func TestScheduleIsBoundedAndGrows(t *testing.T) {
	for _, text := range []string{"", "try again in 300 seconds", "wait 2 days", "wait 1 second"} {
		for _, c := range []policy.Class{policy.ClassNetwork, policy.ClassBusy, policy.ClassRate, policy.ClassQuota, policy.ClassGreylist, policy.ClassMailbox, policy.ClassSplit} {
			r := policy.Advice(c, policy.Said{Code: 450, Text: text, At: noon})
			total := time.Duration(0)
			for i, wait := range r.Schedule {
				if i > 0 && wait < r.Schedule[i-1] {
					t.Errorf("%s, %q: wait %d is %s, shorter than the one before, %s", c, text, i, wait, r.Schedule[i-1])
				}
				total += wait
			}
			if total > r.GiveUp || len(r.Schedule) > 12 {
				t.Errorf("%s, %q: %d waits of %s in all, want at most 12 within %s", c, text, len(r.Schedule), total, r.GiveUp)
			}
		}
	}
}

func TestDelay(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"4.7.1 try again in 300 seconds", 5 * time.Minute},
		{"Greylisted, please try again in 5 minutes", 5 * time.Minute},
		{"Greylisted for 60 secs", time.Minute},
		{"Recipient address rejected: Greylisted, see http://example.com/help.html in 00:04:59", 4*time.Minute + 59*time.Second},
		{"please wait 10min and retry", 10 * time.Minute},
		{"Retry-After: 120", 2 * time.Minute},
		{"please retry after 2026-11-21T13:30:00Z", 90 * time.Minute},
		{"try again after 2026-11-21 14:00 UTC", 2 * time.Hour},
		{"try again after 2026-11-21T14:00:00+01:00", time.Hour},
		{"delayed for 1 hour", time.Hour},
		{"account locked for 15 minutes", 15 * time.Minute},
		{"come back in 2 h", 2 * time.Hour},
		{"more than 100 messages in 60 minutes", 0},
		{"try again later", 0},
		{"retry after 2026-11-20T10:00:00Z", 0},
		{"wait 900 days", 0},
		{"wait 0 seconds", 0},
		{"try again; 192.0.2.1 sent 5 messages", 0},
		{"", 0},
	} {
		got, ok := policy.Delay(tt.text, noon)
		if got != tt.want || ok != (tt.want > 0) {
			t.Errorf("Delay(%q) = %s, %t; want %s", tt.text, got, ok, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 45 * time.Second: "45 seconds", 90 * time.Second: "90 seconds",
		5 * time.Minute: "5 minutes", time.Hour: "1 hour", 96 * time.Hour: "4 days", 24 * time.Hour: "24 hours",
	} {
		if got := policy.Words(d); got != want {
			t.Errorf("Words(%d ns) = %q, want %q", d, got, want)
		}
	}
}

// What Delay promises for any text: a wait within its bounds, or none.
func FuzzDelay(f *testing.F) {
	for _, s := range []string{"try again in 300 seconds", "in 00:04:59", "retry after 2026-11-21T10:00:00Z", "wait 99999999999 days"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := policy.Delay(text, noon)
		if ok != (d > 0) || d < 0 || d > policy.MaxDelay {
			t.Errorf("Delay(%q) = %s, %t; want 0 and false, or between 0 and %s", text, d, ok, policy.MaxDelay)
		}
	})
}
