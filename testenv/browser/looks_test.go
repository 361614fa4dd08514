//go:build browser

package browser_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"smtp-proxy/inspect/store"
	"smtp-proxy/testenv"
)

// told is a record with a bit of everything, and the addresses of its pages.
func told(t *testing.T) (*stage, *window, []string) {
	t.Helper()
	return toldOn(t, t.TempDir())
}

// toldOn adds that to the record in a directory.
func toldOn(t *testing.T, data string) (*stage, *window, []string) {
	t.Helper()
	s := stageOn(t, data, "--app-tls", "offer")
	for _, app := range []testenv.App{
		{To: []string{"bob@example.net"}},
		{To: []string{"bob@example.net", refusedTo}},
		{To: []string{"greylist@example.com"}},
		{From: "mail550_5.7.1@example.com"},
		{To: []string{"dot552_5.3.4@example.com"}},
		{To: []string{"rcpt451_4.7.1@example.com"}},
		{To: []string{refusedTo}},
	} {
		s.send(t, app)
	}
	w := newWindow(t, s)
	w.open("/")
	w.wait("all sessions", `document.querySelectorAll('main table tbody tr, main li a[href^="/sessions/"]').length >= 7`)
	session := js[string](w, `document.querySelector('main a[href^="/sessions/"]').getAttribute("href")`)
	pages := append([]string{"/", "/overview", "/explain", "/check", "/causes", "/causes/recipient.unknown", "/?q=to%3Anobody%40example.org", "/nowhere", session + "/replay"}, w.tabs(session)...)
	return s, w, pages
}

// TestPhone: no page is wider than a small phone, and what can be tapped is
// there.
func TestPhone(t *testing.T) {
	_, w, pages := told(t)
	w.size(360, 740)
	for _, path := range pages {
		w.open(path)
		if over := js[int](w, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			widest := js[string](w, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("pre, .scroll, [tabindex]")).map(e => e.tagName + "." + e.className).slice(0, 5).join(" ")`)
			t.Errorf("%s is %d pixels wider than the screen (%s)", path, over, widest)
		}
	}
}

// TestWithoutScript: all pages work with their scripts switched off.
func TestWithoutScript(t *testing.T) {
	s, w, pages := told(t)
	w.script(false)
	for _, path := range pages {
		w.open(path)
		if !contains(w.text(), "smtp-proxy") || w.text() == "" {
			t.Errorf("%s shows %q without script, want its content", path, w.text())
		}
	}
	s.send(t, testenv.App{To: []string{"late@example.net"}})
	w.script(true)
	w.open("/?q=to%3Alate%40example.net")
	w.sees("late@example.net")
	w.script(false)
	w.open("/")
	w.do("follow a session's link", chromedp.Click(chromedp.CSS(`main a[href^="/sessions/"]`)))
	w.do("its page", chromedp.WaitVisible(chromedp.CSS(`main h1`)))
	w.open("/explain")
	w.do("paste", chromedp.SetValue(chromedp.CSS("textarea"), "550 5.1.1 no such user"), chromedp.Submit(chromedp.CSS("textarea")), chromedp.WaitVisible(chromedp.CSS(".card")))
}

// TestAccessibility runs axe-core's rules over every page, in both schemes.
func TestAccessibility(t *testing.T) {
	_, w, pages := told(t)
	axe, err := os.ReadFile(axePath())
	must(t, err)
	for _, scheme := range []string{"light", "dark"} {
		w.scheme(scheme)
		for _, path := range pages {
			w.open(path)
			js[bool](w, string(axe)+"; true")
			var found []struct {
				ID, Impact, Help string
				Nodes            []string
			}
			text := js[string](w, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v =>
				({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : ""))}))))`)
			must(t, json.Unmarshal([]byte(text), &found))
			for _, v := range found {
				if v.Impact == "serious" || v.Impact == "critical" {
					t.Errorf("%s (%s): %s %s: %s\n\t%s", path, scheme, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n\t"))
				}
			}
		}
	}
}

// hour puts an hour of mail on record.
func hour(t *testing.T, data string) {
	t.Helper()
	record, err := store.Open(data, store.Options{})
	must(t, err)
	defer record.Close()
	h := &testenv.History{Sessions: 1200, Until: time.Now().Add(-time.Minute), Span: 58 * time.Minute}
	must(t, store.NewKeeper(record, store.KeeperOptions{Annotate: h.Findings}).Run(t.Context(), h))
}

// screenshots names the directory that screenshots go to: those of the README,
// when it names that of the tree.
const screenshots = "SMTP_PROXY_SCREENSHOTS"

// TestScreenshots takes the pictures of the README.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv(screenshots)
	if dir == "" {
		dir = t.TempDir()
	}
	data := t.TempDir()
	hour(t, data)
	_, w, _ := toldOn(t, data)
	w.open("/")
	failed := js[string](w, `document.querySelector('main a[href^="/sessions/"]').getAttribute("href")`)
	for _, shot := range []struct{ name, path string }{{"sessions", "/"}, {"session", failed}, {"overview", "/overview?span=1h"}} {
		w.open(shot.path)
		w.wait("the page", `document.readyState === "complete"`)
		png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
		must(t, err)
		if len(png) < 10_000 {
			t.Errorf("the picture of %s has %d octets, want a page in it", shot.path, len(png))
		}
		must(t, os.WriteFile(filepath.Join(dir, shot.name+".png"), png, 0o644))
	}
}
