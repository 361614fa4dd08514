package probe

import (
	"fmt"
	"strings"
)

// The states of a key, as they stand in [session.Found].
const (
	dkimOK      = resultOK
	dkimWeak    = "weak"    // shorter than advised
	dkimShort   = "short"   // too short for receivers
	dkimTesting = "testing" // receivers are to take no notice of it
	dkimRevoked = "revoked"
	dkimBroken  = "broken"
)

// judge says what a key is worth, and why.
func (r *dkimRecord) judge() {
	k := r.key
	switch {
	case r.count > 1:
		r.result, r.why = dkimBroken, fmt.Sprintf("there are %d records, and receivers may take either", r.count)
	case len(k.faults) > 0:
		r.result, r.why = dkimBroken, strings.Join(k.faults, "; ")
	case k.revoked:
		r.result, r.why = dkimRevoked, "p= is empty: mail signed with it fails"
	case k.bits > 0 && k.bits < leastRSA:
		r.result, r.why = dkimShort, fmt.Sprintf("receivers take no key below %d bits", leastRSA)
	case k.testing:
		r.result, r.why = dkimTesting, "t=y: receivers take signed mail for unsigned; take the flag out when signing works"
	case k.bits > 0 && k.bits < advisedRSA:
		r.result, r.why = dkimWeak, fmt.Sprintf("receivers take it still, %d bits are advised", advisedRSA)
	default:
		r.result = dkimOK
	}
}

// words name the key and what is wrong with it.
func (r dkimRecord) words() string {
	switch r.result {
	case dkimOK:
		return r.key.name()
	case dkimRevoked, dkimBroken:
		return r.result + ": " + r.why
	}
	return r.key.name() + ": " + r.why
}

// lines put the keys that are in order on one line, and the others on one each.
func (s *dkimSearch) lines() (lines []Line) {
	var good []string
	for _, r := range s.found {
		switch r.result {
		case dkimOK:
			good = append(good, fmt.Sprintf("%s (%s)", r.selector, r.words()))
		default:
			lines = append(lines, Line{Status: s.status(r), Text: fmt.Sprintf("the key %s of %s is %s", r.selector, s.domain, r.words())})
		}
	}
	if len(good) > 0 {
		return append([]Line{{Status: StatusOK, Text: fmt.Sprintf("%s has keys under %s", s.domain, strings.Join(good, ", "))}}, lines...)
	}
	if s.everyone != "" {
		lines = append(lines, Line{Status: StatusWarn, Text: s.everyoneWords()})
	}
	if len(lines) == 0 {
		lines = append(lines, Line{Status: StatusSkip, Text: s.nothing()})
	}
	return lines
}

// status of a key that is not in order: one that was revoked has been replaced
// by another, if there is one.
func (s *dkimSearch) status(r dkimRecord) Status {
	if r.result == dkimRevoked && s.usable() {
		return StatusOK
	}
	return StatusWarn
}

// everyoneWords speak of a record that stands under every selector.
func (s *dkimSearch) everyoneWords() string {
	if parseDKIM(s.everyone).revoked {
		return fmt.Sprintf("*._domainkey.%s revokes every key that has no record of its own: mail signed in its name fails", s.domain)
	}
	return fmt.Sprintf("*._domainkey.%s has one key for every selector: whoever has its private half can sign under any", s.domain)
}

// nothing says that no key was found, and what that is worth.
func (s *dkimSearch) nothing() string {
	const look = "look for s= in the DKIM-Signature of a message that was delivered"
	switch {
	case s.fault != nil:
		return fmt.Sprintf("the keys of %s could not be asked for: %s", s.domain, s.fault.Text)
	case s.provider != nil && s.provider.Chosen:
		return fmt.Sprintf("not known: %s makes up a selector for each customer; %s", s.provider.Name, look)
	case s.provider != nil:
		return fmt.Sprintf("not known: %s has no key under %s, the selectors of %s, nor under %d others; unless it has one elsewhere, its mail is not signed in its name; %s",
			s.domain, list(s.provider.Selectors), s.provider.Name, s.asked-1-len(s.provider.Selectors), look)
	}
	return fmt.Sprintf("not known: %s has no key under any of the %d usual selectors; %s", s.domain, s.asked-1, look)
}
