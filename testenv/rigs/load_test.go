//go:build rigs

package rigs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"
)

// load sends mail through a proxy from several apps at once until it is told
// to stop, whatever happens to the proxy.
type load struct {
	addr string
	to   string

	mu    sync.Mutex
	acked map[string]time.Time // when the app was told 250, by message id
}

// start runs n apps and returns the function that stops them and waits.
func (l *load) start(n int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var apps sync.WaitGroup
	for i := range n {
		apps.Go(func() { l.app(ctx, i) })
	}
	return func() {
		cancel()
		apps.Wait()
	}
}

// app opens session after session; a proxy that is not there is tried again.
func (l *load) app(ctx context.Context, number int) {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		l.session(ctx, fmt.Sprintf("w%d-s%d", number, i))
		<-again.C
	}
}

// session sends up to five messages and leaves; it ends where anything fails.
func (l *load) session(ctx context.Context, name string) {
	d, err := dial(l.addr, name+".app.rig.test")
	if err != nil {
		return
	}
	defer d.Close()
	for i := 0; i < 5 && ctx.Err() == nil; i++ {
		id := fmt.Sprintf("%s-m%d@rig.test", name, i)
		if d.hand(l.to, id, "") != nil || d.verdict() != nil {
			return
		}
		l.ack(id)
	}
	d.say(221, "QUIT")
}

func (l *load) ack(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[id] = time.Now()
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

var messageID = regexp.MustCompile(`(?mi)^Message-ID: <(.*)>`)

// arrived returns the ids of the messages in a mailbox.
func (m *mta) arrived(t *testing.T, addr string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(m.mail, localPart(addr), "new", "*"))
	must(t, err)
	ids := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(t, err)
		if id := messageID.FindSubmatch(text); id != nil {
			ids[string(id[1])] = true
		}
	}
	return ids
}

// awaitAll waits until every acknowledged message is in the mailbox.
func (l *load) awaitAll(t *testing.T, m *mta) {
	t.Helper()
	var missing []string
	eventually(t, "mailbox with every acknowledged message", func() bool {
		missing = missing[:0]
		there := m.arrived(t, l.to)
		for id := range l.acked {
			if !there[id] {
				missing = append(missing, id)
			}
		}
		return len(missing) == 0
	}, func() string { return fmt.Sprintf("missing: %v\n%s", missing, tail(m.log)) })
}
