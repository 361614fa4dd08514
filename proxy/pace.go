package proxy

import (
	"sync"
	"time"
)

// How messages are paced.
//
// What is kept of messages waits in a few megabytes of memory. A large message
// on a fast path fills them before the keeper gets its turn, and most of it
// would be missing from the record. So an app that outruns the record is read
// again when the keeper has made room, or a moment later if it has not: a
// message loses a second by that at most, whatever the disk does. What then
// still finds no room is dropped and counted.

// The limits of that wait: once, and all of one message.
const (
	pauseMost  = 20 * time.Millisecond
	pausesMost = time.Second
)

// relief tells when room was made. It has a lock of its own: those who are told
// take others.
type relief struct {
	mu     sync.Mutex
	tell   []func()
	inVain bool // somebody has waited, and there was no room
}

// pressed reports whether octets come faster than they are kept, and waiting
// may help.
func (r *Recorder) pressed() bool {
	r.mu.Lock()
	full := len(r.bodies.used)+r.bodies.out >= maxBodyBlocks*3/4
	r.mu.Unlock()
	r.relief.mu.Lock()
	defer r.relief.mu.Unlock()
	return full && !r.relief.inVain
}

// awaitRoom calls f once, when there is room again or when it is time to go on.
func (r *Recorder) awaitRoom(f func()) {
	var once sync.Once
	late := time.AfterFunc(pauseMost, func() {
		r.relief.mu.Lock()
		r.relief.inVain = true
		r.relief.mu.Unlock()
		once.Do(f)
	})
	r.relief.mu.Lock()
	defer r.relief.mu.Unlock()
	r.relief.tell = append(r.relief.tell, func() {
		late.Stop()
		once.Do(f)
	})
}

// roomMade tells those who wait.
func (r *Recorder) roomMade() {
	r.relief.mu.Lock()
	tell := r.relief.tell
	r.relief.tell, r.relief.inVain = nil, false
	r.relief.mu.Unlock()
	for _, f := range tell {
		f()
	}
}

// pace keeps how long the message under way has waited.
type pace struct {
	octets bool          // some were handed over since it was last asked
	waited time.Duration // of this message
}

// outruns reports whether the session should pause: its message comes faster
// than it is kept. The lock is held.
func (r *relay) outruns() bool {
	asked := r.pace.octets
	r.pace.octets = false
	return asked && r.pace.waited < pausesMost && r.server.options.Recorder.pressed()
}

// pause waits for room, in the goroutine that reads the app. The lock is held
// on entry and exit, not meanwhile.
func (r *relay) pause() {
	if !r.outruns() {
		return
	}
	began, room := time.Now(), make(chan struct{})
	r.server.options.Recorder.awaitRoom(func() { close(room) })
	r.mu.Unlock()
	<-room
	r.mu.Lock()
	r.pace.waited += time.Since(began)
}
