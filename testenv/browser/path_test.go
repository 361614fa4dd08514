//go:build browser

package browser_test

import (
	"fmt"
	"testing"

	"smtp-proxy/testenv"
)

// refusedTo is a recipient that the sandbox does not know.
const refusedTo = "550_5.1.1@example.com"

// TestFirstConnection: an empty record shows what to put into the app, and the
// first session takes its place without a reload.
func TestFirstConnection(t *testing.T) {
	s := newStage(t)
	w := newWindow(t, s)
	w.open("/")
	w.sees(s.smtp[len("127.0.0.1:"):])
	s.send(t, testenv.App{To: []string{"bob@example.net"}})
	w.sees("bob@example.net")
	w.sees("delivered")
}

// TestTruePath goes the way of somebody whose mail was refused: the session
// appears, is opened, its evidence found, and it is sent again.
func TestTruePath(t *testing.T) {
	s := newStage(t)
	s.send(t, testenv.App{To: []string{"bob@example.net"}})
	w := newWindow(t, s)
	w.open("/")
	w.sees("bob@example.net")
	js[bool](w, `window.loadedOnce = true`)
	s.send(t, testenv.App{To: []string{refusedTo}})
	w.sees(refusedTo)
	w.sees("recipient.unknown")
	if !js[bool](w, `window.loadedOnce === true`) {
		t.Error("the page was loaded again to show a session, want it shown live")
	}
	w.press(refusedTo)
	w.wait("the session's page", `location.pathname.startsWith("/sessions/")`)
	w.sees("recipient.unknown")
	w.evidence()
	w.replay()
}

// evidence follows the finding's evidence to its line.
func (w *window) evidence() {
	w.t.Helper()
	w.click(`.evidence a[href^="#line-"]`)
	w.wait("the line of the evidence", `document.querySelector(":target") !== null`)
	line := js[string](w, `document.querySelector(":target").innerText`)
	if !contains(line, "550 5.1.1") {
		w.t.Errorf("the evidence leads to %q, want the line with 550 5.1.1", line)
	}
	w.wait("the line in view", `(() => { const r = document.querySelector(":target").getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight })()`)
}

// replay sends the session again without delivering anything.
func (w *window) replay() {
	w.t.Helper()
	w.press("Replay")
	w.wait("the replay's page", `location.pathname.endsWith("/replay")`)
	if js[int](w, `document.querySelectorAll("main form button[type=submit], main form button:not([type])").length`) > 0 && !js[bool](w, `document.body.innerText.toLowerCase().includes("identical")`) {
		w.click(`main form button[type=submit], main form button:not([type])`)
	}
	w.wait("the comparison", `document.body.innerText.toLowerCase().includes("identical")`)
}

// TestFilter types a filter and uses those that are offered.
func TestFilter(t *testing.T) {
	s := newStage(t)
	for _, to := range []string{"bob@example.net", refusedTo, "carol@example.org"} {
		s.send(t, testenv.App{To: []string{to}})
	}
	w := newWindow(t, s)
	w.open("/")
	w.sees("bob@example.net")
	w.sees("carol@example.org")
	w.sees(refusedTo)
	w.fill("#q", "to:bob@example.net")
	w.click(`form[role=search] button[type=submit]`)
	w.wait("the filtered list", `location.search.includes("q=") && !document.querySelector("main").innerText.includes("carol@example.org")`)
	w.sees("bob@example.net")
	s.send(t, testenv.App{To: []string{"dave@example.org"}})
	s.send(t, testenv.App{From: "again@example.com", To: []string{"bob@example.net"}})
	w.sees("again@example.com")
	if js[bool](w, `document.querySelector("main").innerText.includes("dave@example.org")`) {
		t.Error("a session that the filter does not select has appeared")
	}
	w.open("/")
	w.press("recipient.unknown")
	w.wait("the sessions of a cause", `!document.querySelector("table, main").innerText.includes("carol@example.org")`)
	w.sees(refusedTo)
	w.open("/?q=cuase%3Ax")
	w.sees("unknown key")
}

// TestExplain pastes a reply; what looks like a password does not come back.
func TestExplain(t *testing.T) {
	w := newWindow(t, newStage(t))
	w.open("/explain")
	w.fill("textarea", "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8 https://support.google.com/mail/?p=BadCredentials")
	w.click(`main form button[type=submit], main form button:not([type])`)
	w.sees("auth.")
	w.fill("textarea", "AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAGh1bnRlcjItc2VjcmV0")
	js[bool](w, `window.before = true`)
	w.click(`main form button[type=submit], main form button:not([type])`)
	w.wait("the answer", `window.before === undefined && document.readyState === "complete"`)
	if js[bool](w, `document.documentElement.outerHTML.includes("aHVudGVy") || document.documentElement.outerHTML.includes("AGFsaWNl")`) {
		t.Error("the page shows a pasted password again")
	}
}

// TestCheck examines the configured smarthost.
func TestCheck(t *testing.T) {
	w := newWindow(t, newStage(t))
	w.open("/check")
	w.click(`form.known button`)
	for _, step := range []string{"dns", "tcp", "certificate", "command line"} {
		w.sees(step)
	}
	w.fill("#target", "127.0.0.1:1")
	w.click(`form.check button[type=submit]`)
	w.sees("connect.refused")
}

// TestEveryPage: each entry of the navigation leads somewhere that works.
func TestEveryPage(t *testing.T) {
	s := newStage(t)
	s.send(t, testenv.App{To: []string{refusedTo}})
	w := newWindow(t, s)
	w.open("/")
	w.sees(refusedTo)
	n := js[int](w, `document.querySelectorAll("header nav a").length`)
	for i := range n {
		w.open("/")
		w.click(fmt.Sprintf(`header nav a:nth-of-type(%d)`, i+1))
		w.wait("its mark in the navigation", fmt.Sprintf(`document.querySelector("header nav a:nth-of-type(%d)").getAttribute("aria-current") === "page"`, i+1))
	}
}
