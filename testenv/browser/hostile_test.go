//go:build browser

package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"smtp-proxy/testenv"
)

// hostile is a message that tries all it can: to run, to load, to send, to lead
// away, and to break out of what shows it.
func hostile(trap string) []byte {
	html := strings.ReplaceAll(`<!doctype html><html><head><title></title>
<meta http-equiv="refresh" content="0;url=TRAP/refresh"><base href="TRAP/base/">
<link rel="stylesheet" href="TRAP/link.css"><link rel="prefetch" href="TRAP/prefetch"><link rel="dns-prefetch" href="TRAP">
<style>@import url("TRAP/import.css"); body { background: url("TRAP/background.png") } @font-face { font-family: x; src: url("TRAP/font.woff") } p { font-family: x }</style>
<script>top.location = "TRAP/script"; parent.document.title = "owned"; window.top.owned = true</script></head>
<body onload="fetch('TRAP/onload')"><p>visible words</p>
<img src="TRAP/image.png"><img srcset="TRAP/srcset.png 1x" src="x" onerror="top.owned = true; new Image().src='TRAP/onerror'">
<svg onload="top.owned = true"><image href="TRAP/svg.png"/><use href="TRAP/use.svg#x"/></svg>
<video src="TRAP/video" poster="TRAP/poster" autoplay></video><audio src="TRAP/audio" autoplay></audio>
<iframe src="TRAP/iframe"></iframe><iframe srcdoc="<script>top.owned = true</script>"></iframe><object data="TRAP/object"></object><embed src="TRAP/embed">
<form action="TRAP/form" method="post" id="f"><input name="a" value="b"><button autofocus>send</button></form><script>document.forms[0].submit()</script>
<a href="javascript:top.owned=true">link</a><input type="image" src="TRAP/input.png"><table background="TRAP/table.png"></table>
</iframe></div></main><h1>outside</h1></body></html>`, "TRAP", trap)
	return []byte(strings.ReplaceAll(strings.Join([]string{
		"From: <script>window.owned=true</script> <app@example.com>",
		"To: bob@example.net",
		`Subject: </title></a><script>window.owned=true</script><img src=` + trap + `/subject.png onerror="window.owned=true">`,
		"Message-ID: <x\"><img src=" + trap + "/id.png>@example.com>",
		"MIME-Version: 1.0",
		`Content-Type: multipart/mixed; boundary="b"`,
		"", "--b", "Content-Type: text/html; charset=utf-8", "", html,
		"--b", `Content-Type: image/svg+xml; name="<img src=x onerror=window.owned=true>.svg"`,
		`Content-Disposition: attachment; filename="../../<script>window.owned=true</script>.html"`, "",
		`<svg xmlns="http://www.w3.org/2000/svg"><script>window.owned=true</script></svg>`,
		"--b", "Content-Type: text/plain; charset=\"><script>window.owned=true</script>\"", "", "<script>window.owned=true</script> plain words", "--b--", "",
	}, "\n"), "\n", "\r\n"))
}

// TestHostileMessage: what a message says neither runs nor loads, nor does what
// peers said in the dialogue.
func TestHostileMessage(t *testing.T) {
	var loaded atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		loaded.Add(1)
		t.Errorf("the page let a message load %s", r.URL)
	}))
	defer trap.Close()
	s := newStage(t)
	s.send(t, testenv.App{Helo: "x<script>window.owned=true</script>", To: []string{"bob@example.net"}, Message: hostile(trap.URL)})
	s.send(t, testenv.App{From: "app@example.com", To: []string{`"<img/src=x/onerror=window.owned=true>"@example.net`}, Message: hostile(trap.URL)})
	w := newWindow(t, s)
	w.framed = true // what the message's own frame tries is forbidden, and said so
	w.open("/")
	w.sees("example.net")
	w.unharmed("the list")
	session := js[string](w, `document.querySelector('main a[href^="/sessions/"]').getAttribute("href")`)
	for _, path := range append(w.tabs(session), "/overview", "/?q=subject%3A%22script%22") {
		w.open(path)
		w.wait("the page", `document.readyState === "complete"`)
		w.unharmed(path)
	}
	if loaded.Load() > 0 {
		t.Errorf("%d things were loaded from elsewhere, want none", loaded.Load())
	}
}

// tabs lists the addresses below a session, its own first.
func (w *window) tabs(session string) []string {
	w.t.Helper()
	w.open(session)
	list := js[[]string](w, fmt.Sprintf(`[...new Set([...document.querySelectorAll("main nav a, main [role=tablist] a")].map(a => a.getAttribute("href")).filter(h => h.startsWith(%q) || h.startsWith("?")))]`, session))
	if len(list) < 3 {
		w.t.Errorf("%s leads to %q, want its messages, raw and timing too", session, list)
	}
	for i, h := range list {
		if strings.HasPrefix(h, "?") {
			list[i] = session + h
		}
	}
	return list
}

// unharmed demands that nothing of a message has run.
func (w *window) unharmed(where string) {
	w.t.Helper()
	if js[bool](w, `window.owned === true || document.title.includes("owned") || document.querySelector("main h1") === null`) {
		w.t.Errorf("on %s a message has run or broken out", where)
	}
	if n := js[int](w, fmt.Sprintf(`document.querySelectorAll("script:not([src^='/static/']), main form[action^=http], img[src^=http]").length`)); n > 0 {
		w.t.Errorf("on %s there are %d elements of a message, want none", where, n)
	}
}
