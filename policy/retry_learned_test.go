package policy

import (
	"strings"
	"testing"
	"time"
)

func TestLearned(t *testing.T) {
	for _, tt := range []struct {
		class Class
		wait  time.Duration
		after time.Duration // 0: nothing is learned
	}{
		{ClassRate, 58 * time.Second, 58 * time.Second},
		{ClassRate, 58*time.Second + time.Millisecond, 59 * time.Second},
		{ClassRate, 20 * time.Millisecond, time.Second},
		{ClassQuota, 90 * time.Hour, 90 * time.Hour}, // longer than the class would wait in all
		{ClassRate, 0, 0},
		{ClassRate, -time.Second, 0},
		{ClassRate, MaxDelay + time.Second, 0},
		{ClassFix, time.Minute, 0},
		{ClassNow, time.Minute, 0},
		{ClassByCode, time.Minute, 0},
	} {
		r, ok := Learned(tt.class, tt.wait)
		if ok != (tt.after > 0) || r.After != tt.after {
			t.Errorf("Learned(%s, %s) = %+v, %v, want a wait of %s", tt.class, tt.wait, r, ok, tt.after)
			continue
		}
		if ok && (r.Advice != RetryLater || len(r.Schedule) == 0 || r.Schedule[0] != tt.after || !strings.Contains(r.Text, Words(tt.after))) {
			t.Errorf("Learned(%s, %s) = %+v, want later, a schedule that begins with the wait, and its words", tt.class, tt.wait, r)
		}
	}
}
