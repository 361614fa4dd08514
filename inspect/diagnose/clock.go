package diagnose

import (
	"fmt"
	"net/mail"
	"regexp"
	"time"

	"smtp-proxy/proxy/session"
)

// skewMin is from where on a difference between two clocks explains a
// certificate's dates; below it, time zones and slow greetings do.
const skewMin = 25 * time.Hour

// bannerDate is the date that Exchange, Sendmail and others greet with:
// "Thu, 1 Jun 2023 01:06:52 +0000".
var bannerDate = regexp.MustCompile(`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}`)

// clockWrong tells whether this machine's clock, and not the certificate, is
// at fault: by the time that the upstream greets with, or because the clock is
// earlier than the program itself.
func (f *facts) clockWrong(e *session.Entry) (why string, wrong bool) {
	if !f.built.IsZero() && e.At.Before(f.built.Add(-skewMin)) {
		return fmt.Sprintf("this program was built on %s", day(f.built)), true
	}
	if f.greeting == nil {
		return "", false
	}
	theirs, err := mail.ParseDate(bannerDate.FindString(f.greeting.Text))
	if err != nil || theirs.Sub(f.greeting.At).Abs() < skewMin || !mended(e.TLS, e.At, theirs) {
		return "", false
	}
	return fmt.Sprintf("the greeting says %s", day(theirs)), true
}

// mended reports whether every certificate that is out of date by our clock
// would be in date by theirs.
func mended(t *session.TLS, ours, theirs time.Time) bool {
	for _, c := range t.Chain {
		if outOfDate(c, ours) && outOfDate(c, theirs) {
			return false
		}
	}
	return len(t.Chain) > 0
}

func outOfDate(c session.Certificate, at time.Time) bool {
	return at.Before(c.NotBefore) || at.After(c.NotAfter)
}

// day writes a time as findings show it.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
