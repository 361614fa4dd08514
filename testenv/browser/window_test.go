//go:build browser

package browser_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// window is one tab of Chromium that watches what its pages do.
type window struct {
	t    *testing.T
	ctx  context.Context
	home string // URL of the site
	// framed: a message's frame is shown, whose attempts are refused and logged
	framed bool

	mu     sync.Mutex
	strays []string // requests to elsewhere
	faults []string // uncaught errors, and what the policy of a page forbade
}

// newWindow opens a tab of a browser of its own, with an empty profile.
func newWindow(t *testing.T, s *stage) *window {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.DisableGPU, chromedp.Flag("lang", "en"))
	if os.Getuid() == 0 { // Chromium refuses its sandbox to root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	w := &window{t: t, ctx: ctx, home: s.page}
	must(t, chromedp.Do(ctx))
	must(t, chromedp.Listen(ctx, w.saw))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	must(t, err)
	w.size(1280, 900)
	t.Cleanup(w.settle)
	return w
}

// saw notes what no page may do.
func (w *window) saw(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, w.home+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") && !strings.HasPrefix(u, "blob:"+w.home) {
			w.strays = append(w.strays, u)
		}
	case *runtime.EventExceptionThrown:
		w.faults = append(w.faults, "script: "+e.ExceptionDetails.Text+" "+describe(e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if w.framed && strings.Contains(e.Entry.Text, "sandbox") {
			return
		}
		if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Content Security Policy") {
			w.faults = append(w.faults, fmt.Sprintf("policy: %s (%s)", e.Entry.Text, e.Entry.URL))
		}
	}
}

func describe(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	return o.Description
}

// settle fails the test for what was seen.
func (w *window) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.strays {
		w.t.Errorf("a page asked for %s, want requests to %s only", u, w.home)
	}
	for _, f := range w.faults {
		w.t.Errorf("a page did what it must not: %s", f)
	}
}

// do runs steps within the patience of the tests.
func (w *window) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%s: %v\nthe page at %s says:\n%s", what, err, w.location(), w.text())
	}
}

func (w *window) open(path string) {
	w.t.Helper()
	w.do("open "+path, chromedp.Navigate(w.home+path))
}

func (w *window) click(selector string) {
	w.t.Helper()
	w.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

func (w *window) fill(selector, text string) {
	w.t.Helper()
	w.do("fill "+selector, chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SetValue(chromedp.CSS(selector), text))
}

// wait waits until an expression of the page holds. While one page gives way to
// the next there is nothing to ask, which is no failure.
func (w *window) wait(what, expression string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("%s did not come: %v\nthe page at %s says:\n%s", what, err, w.location(), w.text())
		}
	}
}

// sees waits until the page shows a text.
func (w *window) sees(text string) {
	w.t.Helper()
	w.wait(fmt.Sprintf("%q", text), fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// js returns what an expression of the page says.
func js[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (w *window) location() string {
	at, err := chromedp.Run(w.ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return at
}

func (w *window) text() string {
	text, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return err.Error()
	}
	return text
}

func (w *window) size(width, height int64) {
	w.t.Helper()
	w.do("size", chromedp.EmulateViewport(width, height))
}

// scheme lets the page believe that its reader prefers light or dark.
func (w *window) scheme(name string) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	must(w.t, err)
}

// script switches the pages' scripts on or off.
func (w *window) script(on bool) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	must(w.t, err)
}

// press clicks what shows a text: a link, a button, or a row that leads
// somewhere.
func (w *window) press(text string) {
	w.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("main a, main button, main summary, main td")].find(e => e.innerText.includes(%q) && e.checkVisibility())`, text)
	w.wait(fmt.Sprintf("a link or button %q", text), find+" !== undefined")
	w.do("press "+text, chromedp.Click(chromedp.JSPath(find)))
}

func contains(text, part string) bool { return strings.Contains(text, part) }
