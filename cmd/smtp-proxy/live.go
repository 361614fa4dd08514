package main

import (
	"fmt"
	"io"
	"time"

	"smtp-proxy/inspect"
)

// liveLine is the last line of a terminal while sessions run: rewritten in
// place, and gone before anything else is written.
type liveLine struct {
	screen
	sessions map[string]*inspect.Session
	latest   string
	shown    bool
}

func newLiveLine(s screen) *liveLine {
	return &liveLine{screen: s, sessions: map[string]*inspect.Session{}}
}

// running takes note of a session that has grown.
func (l *liveLine) running(s *inspect.Session, now time.Time) {
	l.sessions[s.ID] = s
	l.latest = s.ID
	l.draw(now)
}

// ended forgets a session, and clears the line for its block.
func (l *liveLine) ended(id string) {
	delete(l.sessions, id)
	l.clear()
}

// draw writes the line anew.
func (l *liveLine) draw(now time.Time) {
	if !l.live {
		return
	}
	l.clear()
	if len(l.sessions) == 0 {
		return
	}
	text := clip(liveText(l.newest(), len(l.sessions), now), max(leastWidth, l.width-1))
	io.WriteString(l.out, l.paint(cyan, text))
	l.shown = true
}

// newest returns the running session that moved last, or began last.
func (l *liveLine) newest() *inspect.Session {
	newest := l.sessions[l.latest]
	for _, s := range l.sessions {
		if newest == nil || l.sessions[l.latest] == nil && s.Started.After(newest.Started) {
			newest = s
		}
	}
	return newest
}

// clear removes the line from the screen.
func (l *liveLine) clear() {
	if l.live && l.shown {
		io.WriteString(l.out, "\r\x1b[K")
	}
	l.shown = false
}

// liveText says which session runs, how far it is and for how long.
func liveText(s *inspect.Session, n int, now time.Time) string {
	text := fmt.Sprintf("%s -> %s  %s  %s", visible(s.App.Addr), upstreamName(s), s.Phase, inspect.Took(now.Sub(s.Started).Round(100*time.Millisecond)))
	if len(s.Events) > 0 {
		last := s.Events[len(s.Events)-1]
		text += "  " + mark(&last) + " " + visible(last.Text)
	}
	if n > 1 {
		text = fmt.Sprintf("%d running  %s", n, text)
	}
	return text
}
