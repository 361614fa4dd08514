package web_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestLongFilters has filters that cost more than a person writes refused by
// the page and the API alike, before the record is asked.
func TestLongFilters(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	for what, filter := range map[string]string{"stars": strings.Repeat("*a", 600), "words": strings.Repeat("-from:*a*b* ", 100)} {
		for _, path := range []string{"/", "/live", v1 + "/sessions", v1 + "/sessions?format=ndjson", v1 + "/search", v1 + "/events"} {
			at, sep := srv.URL+path, "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			code, _, body := ask(t, "GET", at+sep+"q="+url.QueryEscape(filter), nil)
			if code != 400 || !strings.Contains(body, "longer than 1000 characters") {
				t.Errorf("%s with many %s: got %d, want 400 and what is wrong\n%.300s", path, what, code, body)
			}
		}
	}
}

// TestManyFrames lists the parts of a message that has too many pages rather
// than opening a frame for each.
func TestManyFrames(t *testing.T) {
	text := "Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n", 10_000) + "--b--\r\n"
	_, _, page := ask(t, "GET", mailed(t, text), nil)
	if n := strings.Count(page, "<iframe"); n != 20 {
		t.Errorf("got %d frames, want 20", n)
	}
	if !strings.Contains(page, "more than 200 parts") || !strings.Contains(page, "/parts/200") || len(page) > 200_000 {
		t.Errorf("got a page of %d octets, want the first 200 parts listed and the rest told of", len(page))
	}
}

// TestPasswordInTarget types a password into the field for the smarthost, as
// addresses of other programs have it. No page shows it back.
func TestPasswordInTarget(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	for _, target := range []string{"smtp://" + account + ":" + password + "@smtp.example.com:587", account + ":" + password + "@smtp.example.com"} {
		form := url.Values{"target": {target}, "upstream": {target}, "text": {"535 5.7.8 no"}}.Encode()
		value := url.QueryEscape(target)
		for _, q := range []request{
			{"GET", "", "/check?target=" + value, "", "", "", 200},
			{"POST", "", "/check", "application/x-www-form-urlencoded", form, "", 400},
			{"POST", "", "/explain", "application/x-www-form-urlencoded", form, "", 200},
			{"POST", "", v1 + "/check", asJSON, `{"target":"` + target + `"}`, "", 400},
			{"POST", "", v1 + "/explain", asJSON, `{"text":"535 5.7.8 no","upstream":"` + target + `"}`, "", 200},
			{"GET", "", "/sessions/latest/replay?upstream=" + value, "", "", "", 0},
			{"POST", "", "/sessions/latest/replay", "application/x-www-form-urlencoded", form, "", 0},
			{"GET", "", v1 + "/sessions/latest/replay?upstream=" + value, "", "", "", 0},
			{"POST", "", v1 + "/sessions/latest/replay", asJSON, `{"upstream":"` + target + `"}`, "", 0},
		} {
			code, _, body := q.send(t, srv.URL)
			if q.want != 0 && code != q.want {
				t.Errorf("%s %s: got %d, want %d", q.method, q.url, code, q.want)
			}
			seek(t, q.method+" "+q.url, body)
		}
	}
}
