package probe

import (
	"context"
	"fmt"
	"strings"
)

// SignInRemedy says that a sign-in is what is missing, where a smarthost that
// offers one refuses a sender or a recipient for want of it.
func (remedies) SignInRemedy() remedy { return remedy{cost: 75, advise: noSignIn} }

func noSignIn(_ context.Context, s *search, at outcome) (outcome, bool) {
	if s.want.Script.User != "" || len(at.offered) == 0 || !at.wantsSignIn() {
		return outcome{}, false
	}
	at.advised = fmt.Sprintf("let the app sign in: the smarthost offers %s, and nobody has signed in (check it with --user and --password-file)",
		strings.Join(at.offered, ", "))
	at.why, at.flags = "", nil
	return at, true
}

// wantsSignIn tells a refusal for want of a sign-in by its code (RFC 4954,
// section 6) or, since most smarthosts word it as they like, by its words.
func (o *outcome) wantsSignIn() bool {
	if !o.failedAt(partMail, partRcpt) || o.code < 500 {
		return false
	}
	why := strings.ToLower(o.why)
	return o.code == 530 || strings.Contains(why, "relay") || strings.Contains(why, "authenticat") || strings.Contains(why, "sign in") || strings.Contains(why, "log in")
}
