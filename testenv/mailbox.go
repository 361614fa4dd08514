package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Message is one mail that a smarthost of this package has accepted.
type Message struct {
	ID       string // as in the reply that accepted it; unique in its mailbox
	Received time.Time
	Helo     string // the name in the app's EHLO or HELO
	User     string // who had signed in, or empty
	Secure   bool   // it came under TLS
	From     string
	To       []string
	Data     []byte // as after dot-unstuffing, line ends unchanged
}

// Bounds of a mailbox when the options name none.
const (
	defaultKeep      = 1000
	defaultKeepBytes = 64 << 20
)

// Mailbox keeps accepted messages: the newest in memory, all of them in a
// directory when there is one. The zero value keeps 1000 messages of 64 MB
// together, in memory.
type Mailbox struct {
	Dir       string        // existing directory for ID.eml files; empty for none
	Keep      int           // messages held in memory; 0 for 1000
	KeepBytes int           // octets held in memory; 0 for 64 MB
	OnMessage func(Message) // called for each message after it is kept, in order

	mu    sync.Mutex
	next  int
	bytes int
	kept  []Message
}

// Messages returns the messages still in memory, oldest first.
func (b *Mailbox) Messages() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.kept)
}

// nextID returns the queue id under which the next message will be known.
func (b *Mailbox) nextID() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	return fmt.Sprintf("%08X", b.next)
}

// put keeps a message. An error means that it is not in the directory, and so
// must not be accepted.
func (b *Mailbox) put(m Message) error {
	if b.Dir != "" {
		name := filepath.Join(b.Dir, m.ID+".eml")
		if err := os.WriteFile(name, m.Data, 0o600); err != nil {
			return fmt.Errorf("keep message: %w", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = append(b.kept, m)
	b.bytes += len(m.Data)
	b.trim()
	if b.OnMessage != nil {
		b.OnMessage(m)
	}
	return nil
}

// trim forgets the oldest messages until both bounds hold, but never the last.
func (b *Mailbox) trim() {
	keep, bytes := b.Keep, b.KeepBytes
	if keep <= 0 {
		keep = defaultKeep
	}
	if bytes <= 0 {
		bytes = defaultKeepBytes
	}
	drop := 0
	for len(b.kept)-drop > 1 && (len(b.kept)-drop > keep || b.bytes > bytes) {
		b.bytes -= len(b.kept[drop].Data)
		drop++
	}
	b.kept = slices.Delete(b.kept, 0, drop)
}
