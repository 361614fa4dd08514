package probe

import (
	"context"
	"fmt"
	"sync"

	"smtp-proxy/upstream"
)

// gate lets a bounded number of questions in, and one at a time for each
// smarthost: whoever waits there for the same answer finds it remembered.
type gate struct {
	slots chan struct{}

	mu    sync.Mutex
	turns map[string]*turn
}

// turn is the place in front of one smarthost; users count who holds it or
// waits for it, so that it can be dropped behind the last.
type turn struct {
	free  chan struct{}
	users int
}

func newGate(atOnce int) *gate {
	return &gate{slots: make(chan struct{}, atOnce), turns: map[string]*turn{}}
}

// enter waits until a question to t may be asked. leave must be called when it
// has been, unless there is an error.
func (g *gate) enter(ctx context.Context, t upstream.Target) (leave func(), err error) {
	mine := g.join(t.Name)
	select {
	case mine.free <- struct{}{}:
	case <-ctx.Done():
		g.part(t.Name)
		return nil, fmt.Errorf("ask %s: %w", t.Name, ctx.Err())
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		<-mine.free
		g.part(t.Name)
		return nil, fmt.Errorf("ask %s: %w", t.Name, ctx.Err())
	}
	return func() { <-g.slots; <-mine.free; g.part(t.Name) }, nil
}

func (g *gate) join(name string) *turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	mine := g.turns[name]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		g.turns[name] = mine
	}
	mine.users++
	return mine
}

func (g *gate) part(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turns[name].users--; g.turns[name].users == 0 {
		delete(g.turns, name)
	}
}
