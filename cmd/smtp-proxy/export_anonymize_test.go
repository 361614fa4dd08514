package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
)

// private is who must not be found in an export, in lower case.
var private = []string{"plantagenet", "wilhelmin", "planted-corp", "severance", "10.77.66.55", "0151-471147"}

// privateMail is a message with a name in every corner.
const privateMail = "From: \"Wilhelmina Plantagenet\" <wilhelmina@planted-corp.com>\r\n" +
	"To: =?utf-8?B?V2lsaGVsbWluYSBQbGFudGFnZW5ldA==?= <w.plantagenet@gmail.com>\r\nSubject: Severance of Plantagenet\r\n" +
	"Message-ID: <77@build.planted-corp.com>\r\nReceived: from build.planted-corp.com ([10.77.66.55]); Mon, 2 Jan 2006 15:04:05 +0000\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Dear Wilhelmina=20Plantagenet, call =30151-471147 on severance.\r\n" +
	"--b\r\nContent-Type: text/csv; name=\"plantagenet.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"V2lsaGVsbWluYSBQbGFudGFnZW5ldDtzZXZlcmFuY2U7MDE1MS00NzExNDcK\r\n--b--\r\n"

// newPrivateRecord is a session that speaks of somebody in each of its lines.
func newPrivateRecord(t *testing.T) *recordOf {
	r := newRecord(t)
	r.info.AppAddr, r.info.Upstream = "10.77.66.55:40000", "mx.planted-corp.com:25"
	r.begin()
	r.upstream("", "220 mx.planted-corp.com ESMTP")
	r.app("EHLO", "EHLO build.planted-corp.com")
	r.upstream("EHLO", "250-mx.planted-corp.com Hello build.planted-corp.com [10.77.66.55]\n250-SIZE 1000000\n250 AUTH PLAIN")
	r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindAuth, Verb: "AUTH", Text: "AUTH PLAIN ***", Auth: &session.Auth{Mechanism: "PLAIN", Username: "plantagenet"}})
	r.upstream("AUTH", "235 2.7.0 plantagenet signed in")
	r.app("MAIL", "MAIL FROM:<wilhelmina@planted-corp.com> SIZE=1234")
	r.upstream("MAIL", "250 2.1.0 wilhelmina@planted-corp.com ok")
	r.app("RCPT", "RCPT TO:<w.plantagenet@gmail.com> ORCPT=rfc822;w.plantagenet+2Btag@gmail.com")
	r.upstream("RCPT", "250 2.1.5 <w.plantagenet@gmail.com> ok")
	r.app("RCPT", "RCPT TO:<plantagenet@planted-corp.com>")
	r.upstream("RCPT", "550 5.1.1 <plantagenet@planted-corp.com>: no Wilhelmina here, see https://planted-corp.com/?e=plantagenet%40planted-corp.com")
	r.app("DATA", "DATA")
	r.upstream("DATA", "354 go")
	r.content(".", privateMail, "")
	r.upstream(".", "554 5.7.1 the message \"Severance of Plantagenet\" of "+base64.StdEncoding.EncodeToString([]byte("wilhelmina@planted-corp.com"))+" is refused")
	r.app("QUIT", "QUIT")
	r.upstream("QUIT", "221 bye")
	r.keep("full")
	return r
}

// TestExportAnonymized looks into each format for what was planted, and
// without the flag finds it.
func TestExportAnonymized(t *testing.T) {
	r := newPrivateRecord(t)
	for _, f := range (&export{program: newProgram()}).formats() {
		for _, anonymize := range []bool{false, true} {
			args := []string{"--format", f.name}
			if anonymize {
				args = append(args, "--anonymize")
			}
			out, errs, code := r.export(args...)
			if code != 0 && f.name != "openssl" { // which has no use for a session in clear
				t.Fatalf("%s: got code %d and %s", f.name, code, errs)
			}
			if found := findPrivate(out, errs); anonymize && len(found) > 0 {
				t.Errorf("%s: %q is in\n%s", f.name, found, out)
			} else if !anonymize && code == 0 && len(found) == 0 {
				t.Errorf("%s: nothing that was planted is in\n%s", f.name, out)
			}
		}
	}
}

var wrapped = regexp.MustCompile(`[A-Za-z0-9+/_\-]{8,}`)

// findPrivate looks for what was planted as it is, in base64, in hexadecimal and
// with escaped octets; twice, because one form may hold another.
func findPrivate(texts ...[]byte) (found []string) {
	all := string(bytes.Join(texts, nil))
	for range 2 {
		var more strings.Builder
		for _, w := range wrapped.FindAllString(strings.ReplaceAll(all, `\r\n`, "\r\n"), -1) {
			raw, _ := base64.RawStdEncoding.DecodeString(w)
			more.Write(raw)
			raw, _ = hex.DecodeString(w)
			more.Write(raw)
		}
		if plain, err := url.PathUnescape(strings.ReplaceAll(all, "=", "%")); err == nil {
			more.WriteString(plain)
		}
		all += more.String()
	}
	for _, p := range private {
		if strings.Contains(strings.ToLower(all), p) {
			found = append(found, p)
		}
	}
	return found
}

// TestExportAnonymizedAgain reads an anonymized capture as a session of its
// own: the same codes in the same order, and a message of the same size.
func TestExportAnonymizedAgain(t *testing.T) {
	r := newPrivateRecord(t)
	plain, _, _ := r.export("--format", "eml")
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	if out, errs, code := r.export("--anonymize", "--format", "json", "-o", file); code != 0 {
		t.Fatalf("got code %d, %s and %s", code, out, errs)
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Fatalf("got %v and %v, want a file", info, err)
	}
	var o, e bytes.Buffer
	p := newProgram()
	p.stdout, p.stderr = &o, &e
	if code := p.run([]string{"show", file, "--json", "--data", t.TempDir()}); code != 0 {
		t.Fatalf("show: got code %d and %s", code, e.String())
	}
	var shown struct {
		Codes  []string
		Events []struct{ Code int }
	}
	if err := json.NewDecoder(&o).Decode(&shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Events) != 19 || strings.Join(shown.Codes, ", ") != "550, 554" {
		t.Errorf("got %d events and the codes %q, want 19 and those of the session", len(shown.Events), shown.Codes)
	}
	o.Reset()
	if code := p.run([]string{"export", file, "--format", "eml", "--data", t.TempDir()}); code != 0 || o.Len() != len(plain) {
		t.Errorf("as eml: got code %d, %d octets and %s, want %d octets", code, o.Len(), e.String(), len(plain))
	}
	if found := findPrivate(o.Bytes()); len(found) > 0 {
		t.Errorf("as eml: %q is in\n%s", found, o.Bytes())
	}
}
