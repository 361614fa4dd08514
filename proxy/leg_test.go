package proxy

import (
	"bufio"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"smtp-proxy/proxy/session"
)

// What a direction leaves to the one that is writing must be written by it,
// even when nothing more is queued afterwards: the proxy's own STARTTLS, say,
// that is queued while the other direction has not come back from writing the
// EHLO before it.
func TestFlushWritesWhatIsLeftToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		r := &relay{}
		l := &r.legs[session.Upstream]
		l.conn, l.changed.L = near, &r.mu
		say := func(line string, wait bool) {
			r.mu.Lock()
			defer r.mu.Unlock()
			l.queue = append(l.queue, chunk{session.OpWrite, []byte(line)})
			l.queued++
			r.flush(l, wait)
		}
		var writer sync.WaitGroup
		writer.Go(func() { say("EHLO app\r\n", true) })
		synctest.Wait() // in the write, as nobody reads
		say("STARTTLS\r\n", false)

		got := make(chan string)
		go func() {
			defer close(got)
			for lines := bufio.NewScanner(far); lines.Scan(); {
				got <- lines.Text()
			}
		}()
		if line := <-got; line != "EHLO app" {
			t.Errorf("got first line %q, want EHLO app", line)
		}
		synctest.Wait()
		select {
		case line := <-got:
			if line != "STARTTLS" {
				t.Errorf("got second line %q, want STARTTLS", line)
			}
		default:
			t.Errorf("got no second line, want STARTTLS: queued %d, flushed %d", l.queued, l.flushed)
		}
		near.Close()
		writer.Wait()
		for range got {
		}
	})
}
