package probe

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/wire"
)

// versionName writes SSL's versions as TLS's are written.
func versionName(v uint16) string {
	if v == wire.VersionSSL30 {
		return "SSL 3.0"
	}
	return wire.VersionName(v)
}

// in lists the versions in a state, the newest first.
func (s *survey) in(state string) []string {
	var names []string
	for _, g := range s.grades {
		if g.state == state {
			names = append(names, versionName(g.version))
		}
	}
	return names
}

// summary is the survey in a sentence.
func (s *survey) summary() string {
	if !s.answered() {
		return "not tested: " + s.why()
	}
	text := s.target.Name + " takes " + list(s.in(stateTaken))
	if s.cut != nil {
		text += "; not all was asked: " + s.why()
	}
	return text
}

// why says why nothing, or not all, is known.
func (s *survey) why() string {
	switch {
	case s.cut != nil:
		return s.cut.Error()
	case len(s.in(stateName)) > 0:
		return "it refuses the server name, or the want of one, before anything else (unrecognized_name)"
	case len(s.in(stateNoTLS)) > 0:
		return "the answer to a TLS hello is no TLS"
	}
	return "no answer in time"
}

// lines are the rungs of the ladder; there is at least one.
func (s *survey) lines() (lines []Line) {
	if !s.answered() {
		return []Line{{Status: StatusSkip, Text: "not examined: " + s.why()}}
	}
	if len(s.in(stateTaken)) == 0 && s.cut == nil {
		return []Line{{Status: StatusWarn, Text: s.nothing()}}
	}
	lines = append(lines, s.takenLines()...)
	lines = append(lines, s.refusedLines()...)
	for _, kind := range kindsOfWeak() {
		lines = append(lines, s.weakLine(kind)...)
	}
	lines = append(lines, s.dhLine()...)
	lines = append(lines, s.reach()...)
	// That a list of suites is not the whole one, its line says itself.
	if names := s.in(stateUnknown); s.cut != nil && (len(names) > 0 || s.cut != errEnough) {
		text := "not all asked: " + s.why()
		if len(names) > 0 {
			text += "; nothing is known of " + list(names)
		}
		lines = append(lines, Line{Status: StatusSkip, Text: text})
	}
	return lines
}

// nothing words a smarthost that takes no version at all.
func (s *survey) nothing() string {
	text := "no version is taken, SSL 3.0 to TLS 1.3"
	if f := s.grades[1].fault; f != nil {
		text += ": an offer of TLS 1.2 with every usual suite ends with " + printable(f.Text)
	}
	return text
}

// takenLines are a line for each version that is taken. What is to say of two
// that are outdated is the same.
func (s *survey) takenLines() (lines []Line) {
	eleven, ten := s.grades[2], s.grades[3]
	for _, g := range s.grades {
		switch {
		case g.state != stateTaken || g == ten && eleven.state == stateTaken:
		case g == eleven && ten.state == stateTaken:
			lines = append(lines, Line{Status: StatusWarn, Text: "TLS 1.1 and TLS 1.0 are taken: " + outdatedHarm})
		default:
			lines = append(lines, g.line(s.order))
		}
	}
	return lines
}

const outdatedHarm = "outdated (RFC 8996); only apps from before about 2014 need that"

// line is that of a version which is taken.
func (g *grade) line(o order) Line {
	l := Line{Status: StatusOK, Text: versionName(g.version) + ": " + g.words(o)}
	switch {
	case weakness(g.suites[0]) != weakNone && g.version == wire.VersionTLS12:
		l.Status = StatusWarn
	case g.version == wire.VersionSSL30:
		l.Status, l.Text = StatusWarn, l.Text+"; broken (POODLE) and forbidden (RFC 7568): switch it off"
	case g.version < wire.VersionTLS12:
		l.Status, l.Text = StatusWarn, l.Text+"; "+outdatedHarm
	}
	return l
}

// words say with what a version is taken.
func (g *grade) words(o order) string {
	sound := slices.DeleteFunc(slices.Clone(g.suites), func(id uint16) bool { return weakness(id) != weakNone })
	text := count(len(sound), g.complete())
	if len(sound) == 0 {
		return "weak suites only, " + wire.SuiteName(g.suites[0]) + " first"
	}
	switch first := wire.SuiteName(g.suites[0]) + g.over(); {
	case len(g.suites) == 1 && g.complete():
		text += ", " + first
	case o == orderApps:
		text += " in the app's order, here " + first
	case o == orderOwn:
		text += ", prefers " + first
	default:
		text += ", chose " + first
	}
	return text + g.groupWords()
}

// over is the group up to TLS 1.2, where a suite does not go with all.
func (g *grade) over() string {
	if g.version == wire.VersionTLS13 || len(g.groups) == 0 {
		return ""
	}
	return " over " + wire.GroupName(g.groups[0])
}

// groupWords list the groups of TLS 1.3, those of post-quantum key exchange
// apart.
func (g *grade) groupWords() string {
	if g.version != wire.VersionTLS13 || len(g.groups) == 0 {
		return ""
	}
	var hybrid, usual []uint16
	for _, id := range g.groups {
		if isHybrid(id) {
			hybrid = append(hybrid, id)
		} else {
			usual = append(usual, id)
		}
	}
	text := ""
	if len(usual) > 0 {
		text = "; groups " + list(wire.Names(usual, wire.GroupName))
	}
	switch {
	case len(hybrid) > 0:
		text += "; post-quantum " + list(wire.Names(hybrid, wire.GroupName))
	case g.complete():
		text += "; none of post-quantum"
	}
	return text
}

func count(n int, complete bool) string {
	text := fmt.Sprintf("%d suites", n)
	if n == 1 {
		text = "1 suite"
	}
	if !complete {
		return "at least " + text
	}
	return text
}

// refusedLines name the versions that are not taken.
func (s *survey) refusedLines() (lines []Line) {
	if names := s.in(stateRefused); len(names) > 0 {
		lines = append(lines, Line{Status: StatusOK, Text: "not taken: " + list(names)})
	}
	if names := s.in(stateSilent); len(names) > 0 {
		lines = append(lines, Line{Status: StatusSkip, Text: "no answer in time to an offer of " + list(names) + ": not known"})
	}
	if names := s.in(stateNoTLS); len(names) > 0 {
		lines = append(lines, Line{Status: StatusSkip, Text: "the answer to an offer of " + list(names) + " is no TLS: not known"})
	}
	return lines
}

// weakLine tells that a kind of weak suite is taken, by which versions.
func (s *survey) weakLine(kind weak) []Line {
	var with []string
	var example uint16
	for _, g := range s.grades {
		if i := slices.IndexFunc(g.suites, func(id uint16) bool { return weakness(id) == kind }); i >= 0 {
			with, example = append(with, versionName(g.version)), g.suites[i]
		}
	}
	if len(with) == 0 {
		return nil
	}
	return []Line{{Status: StatusWarn, Text: fmt.Sprintf("takes %s with %s (%s): %s", kind, list(with), wire.SuiteName(example), kind.harm())}}
}

// dhLine tells that a group of plain Diffie-Hellman is short.
func (s *survey) dhLine() []Line {
	short := 0
	for _, g := range s.grades {
		if g.dhBits > 0 && g.dhBits < 2048 && (short == 0 || g.dhBits < short) {
			short = g.dhBits
		}
	}
	if short == 0 {
		return nil
	}
	return []Line{{Status: StatusWarn, Text: fmt.Sprintf("a Diffie-Hellman group of %d bits: apps refuse it below 1024, and 2048 are the least that is sound (Logjam)", short)}}
}

// reach says which apps get no TLS, where that is many.
func (s *survey) reach() []Line {
	modern, twelve := s.grades[0], s.grades[1]
	if slices.ContainsFunc(s.grades[:2], func(g *grade) bool { return g.state != stateTaken && g.state != stateRefused }) {
		return nil
	}
	switch {
	case modern.state != stateTaken && twelve.state != stateTaken:
		return []Line{{Status: StatusWarn, Text: "neither TLS 1.2 nor TLS 1.3: programs of today refuse to connect, this proxy and what uses Go, Java or OpenSSL 3 among them"}}
	case modern.state != stateTaken && twelve.complete() && !slices.ContainsFunc(twelve.suites, usualInGo):
		return []Line{{Status: StatusWarn, Text: "no suite with ECDHE and AES or ChaCha20: programs written in Go, this proxy among them, offer nothing else up to TLS 1.2 and get no TLS"}}
	case twelve.state != stateTaken:
		return []Line{{Status: StatusOK, Text: "TLS 1.3 alone: apps from before about 2018 (OpenSSL 1.0, Java 8 before 8u261, Windows before Server 2022) get no TLS"}}
	}
	return nil
}

// usualInGo reports a suite of TLS 1.2 that Go offers unless told otherwise:
// since Go 1.22 none with RSA key exchange.
func usualInGo(id uint16) bool {
	name := wire.SuiteName(id)
	return strings.HasPrefix(name, "TLS_ECDHE_") && weakness(id) == weakNone &&
		(strings.Contains(name, "_GCM_") || strings.Contains(name, "_CHACHA20_") || strings.HasSuffix(name, "_CBC_SHA"))
}
