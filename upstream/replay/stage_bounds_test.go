package replay_test

import (
	"bufio"
	"io"
	"runtime"
	"strings"
	"testing"

	"smtp-proxy/upstream/replay"
)

// Long addresses are neither repeated nor remembered without bounds.
func TestStageBoundsAddresses(t *testing.T) {
	s := serve(t, replay.StageOptions{}, recordTalk(t, oneRecipient("b@y.example", "250 "+strings.Repeat("b@y.example ", 40))))
	c := dialStage(t, s)
	long := strings.Repeat("x", 60_000) + "@y.example"
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const recipients = 500
	replied := make(chan int)
	go func() {
		r, longest := bufio.NewReader(c), 0
		for range recipients + 3 {
			line, err := r.ReadString('\n')
			if err != nil {
				break
			}
			longest = max(longest, len(line))
		}
		replied <- longest
	}()
	send := func(text string) {
		t.Helper()
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	send("EHLO app\r\nMAIL FROM:<a@x.example>\r\n")
	for range recipients {
		send("RCPT TO:<" + long + ">\r\n")
	}
	if longest := <-replied; longest > 64<<10 || longest < 100 {
		t.Errorf("got a reply of %d octets, want one as long as those of a smarthost", longest)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 8<<20 {
		t.Errorf("got %d octets kept of %d recipients, want less than 8 MiB", kept, recipients)
	}
}
