package main

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// progress is one line on a terminal that is drawn again and again; elsewhere
// it is nothing.
type progress struct {
	screen
	all   int
	began time.Time
	drawn time.Time
	now   func() time.Time
	shown bool
}

// Between two drawings, and the width of the bar.
const (
	drawEvery = 100 * time.Millisecond
	barWidth  = 24
)

func (p *program) newProgress(all int) *progress {
	return &progress{screen: p.screen(p.stderr), all: all, began: p.now(), now: p.now}
}

// draw shows how far it has got.
func (b *progress) draw(t *tally) {
	now := b.now()
	done := t.played + t.left.all
	if !b.live || b.all == 0 || now.Sub(b.drawn) < drawEvery && done < b.all {
		return
	}
	b.drawn, b.shown = now, true
	text := fmt.Sprintf("%s %d/%d  %d identical, %d different, %d ended earlier%s",
		bar(done, b.all), done, b.all, t.identical, t.differ.all, t.stopped.all, b.ahead(done, now))
	fmt.Fprint(b.out, "\r"+clip(text, max(b.width-1, leastWidth))+"\x1b[K")
}

// bar is drawn in characters that every terminal has.
func bar(done, all int) string {
	n := min(barWidth*done/max(all, 1), barWidth)
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", barWidth-n) + "]"
}

// ahead says how long the rest will take, once that can be told.
func (b *progress) ahead(done int, now time.Time) string {
	spent := now.Sub(b.began)
	if done < 3 || spent < time.Second || done == b.all {
		return ""
	}
	return ", " + inspect.Took(spent/time.Duration(done)*time.Duration(b.all-done)) + " left"
}

// clear makes room for a line of text.
func (b *progress) clear() {
	if b.shown {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.shown, b.drawn = false, time.Time{}
	}
}

// end leaves nothing behind.
func (b *progress) end() { b.clear() }
