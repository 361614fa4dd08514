package main

import (
	"errors"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// offeredIn returns the mechanisms that the smarthost last offered, in capitals.
func offeredIn(events []session.Entry) []string {
	for _, e := range slices.Backward(events) {
		if e.Kind == session.KindReply && e.From == session.FromUpstream && e.Verb == "EHLO" && e.Code == 250 {
			return mechanismsOf(e.Text)
		}
	}
	return nil
}

// mechanismsOf reads an EHLO reply.
func mechanismsOf(reply string) []string {
	var all []string
	for line := range strings.SplitSeq(reply, "\n") {
		if len(line) < 4 {
			continue
		}
		if name, params := wire.Keyword([]byte(line[4:])); name == "AUTH" {
			all = append(all, strings.Fields(strings.ToUpper(params))...)
		}
	}
	return all
}

// signsIn refuses an AUTH that tools leave out, as the smarthost does not offer
// it: the app of the recorded session did not mind.
func (r *reproduction) signsIn(tool string) error {
	if r.auth == nil || slices.Contains(r.offered, r.mechanism()) {
		return nil
	}
	return errors.New(tool + " does not say AUTH " + visible(r.mechanism()) + ", which is not on offer: use --format python, node or go")
}
