package probe

import (
	"context"
	"fmt"
	"strings"
)

// UserForm is what the user names of a provider are like: one of these, or else
// the one word that is everybody's user name there.
type UserForm string

// The forms.
const (
	UserUnknown UserForm = ""        // nothing is known
	UserAddress UserForm = "address" // the full address
	UserOwn     UserForm = "own"     // names that the provider has given, in a form of its own
)

// UserRemedy looks at the user name where a sign-in was refused. It only
// advises: a second attempt with the same password could lock the account.
func (remedies) UserRemedy() remedy { return remedy{cost: 80, advise: otherUser} }

func otherUser(_ context.Context, s *search, at outcome) (outcome, bool) {
	user := s.want.Script.User
	if !at.failedAt(partAuth) || at.mechanismRefused() || user == "" || at.code < 500 {
		return outcome{}, false
	}
	switch form := s.want.UserForm; form {
	case UserOwn:
		return outcome{}, false
	case UserUnknown, UserAddress:
		if strings.Contains(user, "@") {
			return outcome{}, false
		}
		at.advised = fmt.Sprintf("sign in with the full address as the user name (%s@%s in place of %s)", user, s.domain(), user)
	default:
		if user == string(form) {
			return outcome{}, false
		}
		at.advised = fmt.Sprintf("sign in with the user name %s, which is everybody's there, in place of %s", form, user)
	}
	at.why, at.flags = "", nil
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
