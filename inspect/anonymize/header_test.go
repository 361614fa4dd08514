package anonymize_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/anonymize"
	"smtp-proxy/proxy/session"
)

// TestFieldsOfSoftware puts a name where software's own words should be, and
// wants these alone to stay.
func TestFieldsOfSoftware(t *testing.T) {
	for _, field := range []string{
		"Date: Fri, 20 Nov 2026 12:00:00 +0000 (Planted)", "MIME-Version: 1.0 (Planted)", "Precedence: planted@planted.com", "Importance: Planted",
		"X-Priority: 1 (Planted)", "Lines: planted", "Auto-Submitted: planted", "Content-Transfer-Encoding: 7bit (Planted)", "Content-Transfer-Encoding: planted",
		"Content-Type: text/plain (planted); charset=utf-8", "Content-Type: application/vnd.planted.order", "Content-Type: text/plain; charset=planted",
		"Content-Type: multipart/related; boundary=x; type=\"planted/x\"", "Content-Disposition: planted; size=\"planted\"", "Content-Type: text/plain; format=planted",
	} {
		got := anonymized(t, anonymize.New(), field+"\r\n\r\n")
		if name, _, _ := strings.Cut(field, ":"); strings.Contains(strings.ToLower(got), "planted") || !strings.HasPrefix(got, name+":") {
			t.Errorf("%q: got %q, want the name of the field without the planted one", field, got)
		}
		checkShape(t, field+"\r\n\r\n", got)
	}
	for _, field := range []string{
		"Date: Fri, 20 Nov 2026 12:00:00 +0000", "Date: Fri, 20 Nov 2026 12:00:00 +0000 (UTC)", "MIME-Version: 1.0", "Precedence: bulk", "X-Priority: 3 (Normal)", "Lines: 12",
		"Auto-Submitted: auto-generated", "Content-Transfer-Encoding: quoted-printable", "Content-Type: text/plain; charset=\"iso-8859-15\"; format=flowed; delsp=yes",
		"Content-Type: multipart/report; report-type=delivery-status", "Content-Type: multipart/signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\"",
		"Content-Type: text/calendar; method=REQUEST; charset=UTF-8", "Content-Disposition: attachment; size=1234",
		"Content-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	} {
		if got := anonymized(t, anonymize.New(), field+"\r\n\r\n"); got != field+"\r\n\r\n" {
			t.Errorf("%q: got %q, want it as it is", field, got)
		}
	}
}

// What a command's parameter holds is somebody's, whatever it looks like.
func TestParameters(t *testing.T) {
	for _, line := range []string{
		"MAIL FROM:<> ENVID=planted77", "MAIL FROM:<a@example.com> SIZE=1 envid=planted+3D77 RET=HDRS",
		"XFORWARD NAME=planted ADDR=10.77.66.55 IDENT=planted77", "XCLIENT LOGIN=planted",
	} {
		s := whole()
		s.Events = []session.Entry{{Kind: session.KindCommand, Text: line, Verb: line[:4]}}
		got := anonymize.New().Session(s).Events[0].Text
		if strings.Contains(got, "planted") || strings.Contains(got, "10.77") || strings.Count(got, "=") != strings.Count(line, "=") {
			t.Errorf("%q: got %q, want its shape without the planted name", line, got)
		}
	}
}
