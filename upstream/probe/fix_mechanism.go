package probe

import (
	"context"
	"slices"
	"strings"
)

// MechanismRemedy names the mechanism to use where the one that the settings
// name is not on offer or not taken. That costs no sign-in: what is on offer is
// known from EHLO.
func (remedies) MechanismRemedy() remedy {
	return remedy{cost: 70, propose: otherMechanism, advise: oauthOnly}
}

func otherMechanism(_ context.Context, s *search, at outcome) []settings {
	if s.want.Script.User == "" || len(at.offered) == 0 || !at.unfinished() && !at.mechanismRefused() {
		return nil
	}
	next := at
	if next.mechanism = ""; at.mechanismRefused() {
		next.offered = slices.DeleteFunc(slices.Clone(at.offered), func(name string) bool { return name == at.usedMechanism() })
	}
	mechanism := s.usable(next)
	if mechanism == "" || strings.EqualFold(mechanism, at.mechanism) {
		return nil
	}
	changed := at.began
	changed.mechanism = mechanism
	return []settings{changed}
}

// mechanismRefused tells a mechanism that is not taken from credentials that
// are not (RFC 4954, section 4: 504; section 6: 534 for one that is too weak).
func (o *outcome) mechanismRefused() bool {
	return o.failedAt(partAuth) && (slices.Contains([]int{500, 501, 502, 503, 504, 534}, o.code) || o.mechanism != "" && !slices.Contains(o.offered, strings.ToUpper(o.mechanism)))
}

// usedMechanism is the one that was tried.
func (o *outcome) usedMechanism() string {
	for i := range o.entries {
		if e := &o.entries[i]; e.Auth != nil && e.Auth.Mechanism != "" {
			return strings.ToUpper(e.Auth.Mechanism)
		}
	}
	return strings.ToUpper(o.mechanism)
}

// oauthOnly says what kind of secret is wanted where a password is of no use.
func oauthOnly(_ context.Context, s *search, at outcome) (outcome, bool) {
	script := s.want.Script
	if script.User == "" || script.Token != "" || !at.unfinished() || s.usable(at) != "" || slices.ContainsFunc(at.offered, takesPassword) {
		return outcome{}, false
	}
	script.Token, script.Password, script.Mechanism = "t", "", ""
	mechanism, side := newCaller(script, "").way(at.offered)
	if side == nil {
		return outcome{}, false
	}
	at.failed, at.advised = "", "sign in by "+mechanism+" with an OAuth access token in place of the password"
	at.mechanism, at.flags = mechanism, nil
	return at, true
}

// takesPassword knows the mechanisms for passwords, those too that are not
// tried here: the app may have them.
func takesPassword(mechanism string) bool {
	return strings.HasPrefix(mechanism, "SCRAM-") || slices.Contains([]string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM"}, mechanism)
}
