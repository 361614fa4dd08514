//go:build browser

package browser_test

import (
	"testing"

	"smtp-proxy/testenv"
)

// TestFirstConnection: an empty record shows what to put into the app, and the
// first session takes its place without a reload.
func TestFirstConnection(t *testing.T) {
	s := newStage(t)
	w := newWindow(t, s)
	w.open("/")
	w.sees(s.smtp[len("127.0.0.1:"):])
	js[bool](w, `window.same = true`)
	s.send(t, testenv.App{To: []string{"bob@example.net"}})
	w.sees("bob@example.net")
	w.sees("delivered")
}
