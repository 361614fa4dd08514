package anonymize_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"testing/iotest"

	"smtp-proxy/inspect/anonymize"
)

// letter is a message with a bit of everything that a name can hide in.
const letter = "Received: from build-7.corp.planted.lan ([10.9.8.7]) by mx.planted.com; Mon, 2 Jan 2006 15:04:05 +0000\r\n" +
	"From: =?utf-8?Q?Wilhelmin=C3=A4_Plantagenet?= <wilhelmina@planted.com>\r\n" +
	"To: \"Plantagenet, Wilhelmina\" <w.plantagenet@planted.com>,\r\n =?UTF-8?B?V2lsaGVsbWluw6QgUGxhbnRhZ2VuZXQ=?= <x@gmail.com>\r\n" +
	"Subject: Severance of Wilhelmina\r\n\tPlantagenet\r\n" +
	"X-Planted-Trace: abc123\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=\"=_b 1\"\r\n\r\n" +
	"This is for Plantagenet only.\r\n" +
	"--=_b 1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"<p>Dear Wilhelmin=C3=A4 Planta=\r\ngenet, call 0151 2345678 today.</p>\r\n" +
	"--=_b 1\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"RGVhciBXaWxoZWxtaW5hIFBsYW50YWdlbmV0LAp5b3VyIG51bWJlciBpcyA0NzExMDgxNS4K\r\n" +
	"--=_b 1\r\nContent-Type: application/pdf; name=\"Plantagenet severance.pdf\"\r\nContent-Transfer-Encoding: base64\r\n" +
	"Content-Disposition: attachment;\r\n filename*=utf-8''Plant%C3%A4genet%20severance.pdf\r\n\r\n" +
	"JVBERi0xLjQKUGxhbnRhZ2VuZXQgJVBERi0x\r\nJQ==\r\n" +
	"--=_b 1--\r\nWilhelmina\r\n..a dotted line \xe9\xff\r\n"

func anonymized(t *testing.T, a *anonymize.Anonymizer, text string) string {
	t.Helper()
	out, err := io.ReadAll(a.Body(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBody(t *testing.T) {
	a := anonymize.New()
	if err := a.Learn(strings.NewReader(letter)); err != nil {
		t.Fatal(err)
	}
	got := anonymized(t, a, letter)
	checkShape(t, letter, got)
	for _, form := range []string{got, decoded(t, got)} {
		for _, secret := range []string{"lantagenet", "ilhelmin", "planted", "everance", "build-7", "10.9.8.7", "0151", "2345678", "4711", "abc123"} {
			if strings.Contains(strings.ToLower(form), strings.ToLower(secret)) {
				t.Errorf("%q is still there in\n%s", secret, form)
			}
		}
	}
	for _, kept := range []string{"Received: from ", "=?utf-8?Q?", "=?UTF-8?B?", "@gmail.com>", "MIME-Version: 1.0", "boundary=\"=_", "text/html; charset=utf-8", "<p>", "</p>", ".pdf\"\r\n", "filename*=utf-8''", "\r\n.."} {
		if !strings.Contains(got, kept) {
			t.Errorf("%q is gone, want it kept in\n%s", kept, got)
		}
	}
	if again := anonymized(t, a, letter); again != got {
		t.Errorf("the same message came out in another way:\n%s\nand\n%s", got, again)
	}
	if other := anonymized(t, anonymize.New(), letter); other == got {
		t.Error("two exports have the same stand-ins")
	}
}

// TestBodyParts reads what came out as any mail program does.
func TestBodyParts(t *testing.T) {
	m, err := mail.ReadMessage(strings.NewReader(anonymized(t, anonymize.New(), letter)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || strings.Contains(params["boundary"], "b 1") {
		t.Fatalf("got the border %q and %v, want one of its own", params["boundary"], err)
	}
	var got []string
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		got = append(got, kind+" "+p.Header.Get("Content-Transfer-Encoding"))
	}
	if want := "text/html quoted-printable, text/plain base64, application/pdf base64"; strings.Join(got, ", ") != want {
		t.Errorf("got the parts %q, want %s", got, want)
	}
}

// decoded is all that the parts of a message hold.
func decoded(t *testing.T, text string) string {
	t.Helper()
	var all bytes.Buffer
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if raw, err := base64.StdEncoding.DecodeString(line); err == nil {
			all.Write(raw)
		}
		_, _ = io.Copy(&all, quotedprintable.NewReader(strings.NewReader(line)))
	}
	return all.String()
}

// TestBodySameName wants one person to stay one person.
func TestBodySameName(t *testing.T) {
	a := anonymize.New()
	const text = "From: Wilhelmina <wilhelmina@planted.com>\r\nTo: a.b@planted.com\r\n\r\nWILHELMINA wrote to wilhelmina@planted.com\r\n"
	if err := a.Learn(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(anonymized(t, a, text))
	name, address := words[1], strings.Trim(words[2], "<>")
	if got := words[5]; !strings.EqualFold(got, name) || got != strings.ToUpper(got) {
		t.Errorf("the name is %s in the text and %s in the header", got, name)
	}
	if got := words[len(words)-1]; got != address {
		t.Errorf("the address is %s in the text and %s in the header", got, address)
	}
	_, domain, _ := strings.Cut(address, "@")
	if !strings.HasSuffix(words[4], "@"+domain) {
		t.Errorf("%s is not at %s, where the other one is", words[4], domain)
	}
}

// TestBodyPieces gives the same whatever the pieces in which it comes.
func TestBodyPieces(t *testing.T) {
	a := anonymize.New()
	whole := anonymized(t, a, letter)
	out, err := io.ReadAll(a.Body(iotest.OneByteReader(strings.NewReader(letter))))
	if err != nil || string(out) != whole {
		t.Errorf("got %q and %v, want %q", out, err, whole)
	}
	if _, err := io.ReadAll(a.Body(iotest.ErrReader(io.ErrClosedPipe))); err == nil {
		t.Error("of what cannot be read: got no error, want it")
	}
}

// TestBodyLong holds no more of a message than a piece.
func TestBodyLong(t *testing.T) {
	for what, text := range map[string]string{
		"a line":  "Subject: x\r\n\r\n" + strings.Repeat("Plantagenet ", 50_000),
		"a field": "X-Long: " + strings.Repeat("Plantagenet\r\n ", 50_000) + "\r\n\r\n",
		"fields":  strings.Repeat("X-Many: Plantagenet\r\n", 20_000) + "\r\n",
	} {
		got := anonymized(t, anonymize.New(), text)
		if len(got) != len(text) || strings.Contains(got, "Plantagenet") {
			t.Errorf("%s: got %d octets, want %d without the name", what, len(got), len(text))
		}
	}
}

// FuzzBody holds the structure of any text: as many octets in lines of the
// same length, blanks and signs where they were, octets of eight bits where
// they were unless in base64 or a domain.
func FuzzBody(f *testing.F) {
	f.Add(letter)
	f.Add("no header\nat all\r\r\n.\r\n")
	f.Add("Content-Type: multipart/x; boundary=a\n\n--a\n\n--a--\n--a")
	f.Add("a: =?x?q?=ff=41?= =?x?b?/w==?=\n ü@ü.de [1.2.3.4] ::1 1.2.3.4\n")
	f.Fuzz(func(t *testing.T, text string) {
		a := anonymize.New()
		if err := a.Learn(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		checkShape(t, text, anonymized(t, a, text))
	})
}

func checkShape(t *testing.T, text, got string) {
	t.Helper()
	want, have := strings.SplitAfter(text, "\n"), strings.SplitAfter(got, "\n")
	if len(want) != len(have) {
		t.Fatalf("got %d lines, want %d: %q of %q", len(have), len(want), got, text)
	}
	for i := range want {
		if len(want[i]) != len(have[i]) {
			t.Fatalf("line %d: got %d octets, want %d: %q of %q", i+1, len(have[i]), len(want[i]), have[i], want[i])
		}
		for j := range want[i] {
			if c, d := want[i][j], have[i][j]; (c <= ' ' || d <= ' ') && c != d {
				t.Fatalf("line %d: got %q, want %q: blanks have moved in %q of %q", i+1, d, c, have[i], want[i])
			}
		}
	}
}
