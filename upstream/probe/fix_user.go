package probe

import (
	"context"
	"fmt"
	"strings"
)

// UserRemedy looks at the user name where a sign-in was refused. It only
// advises: a second attempt with the same password could lock the account.
func (remedies) UserRemedy() remedy { return remedy{cost: 80, advise: otherUser} }

func otherUser(_ context.Context, s *search, at outcome) (outcome, bool) {
	user := s.want.Script.User
	if !at.failedAt(partAuth) || at.mechanismRefused() || user == "" || strings.Contains(user, "@") {
		return outcome{}, false
	}
	at.advised = fmt.Sprintf("sign in with the full address as the user name (%s@%s in place of %s)", user, s.domain(), user)
	at.stage, at.flags = max(at.stage, stageOffered), nil
	return at, true
}

// domain is the one that the user most likely belongs to.
func (s *search) domain() string {
	if _, domain, ok := strings.Cut(s.want.Script.From, "@"); ok {
		return domain
	}
	if _, domain, ok := strings.Cut(s.base.began.target.Host, "."); ok && strings.Contains(domain, ".") && nameAlone(s.base.began.target.Host) != "" {
		return domain
	}
	return "example.com"
}
