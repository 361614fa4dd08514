package probe

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// What became of a version, as a probe's answer names it.
const (
	stateUnknown = "unknown" // not asked
	stateTaken   = "taken"
	stateRefused = "refused"
	stateSilent  = "timeout"
	stateName    = "name-refused" // the server name was refused, or the want of one
	stateNoTLS   = "not-tls"      // what answered is no TLS, which is neither
)

// order is whose preference decides.
type order uint8

const (
	orderUnknown order = iota
	orderOwn           // the smarthost's
	orderApps          // that of whoever offers
)

// grade is what is known of one version.
type grade struct {
	version  uint16
	state    string
	suites   []uint16       // that are taken, in the order in which they were chosen; of the weak ones, one of a kind
	groups   []uint16       // of the key exchange, likewise; up to TLS 1.2 that of the first choice only
	dhBits   int            // the shortest prime of plain Diffie-Hellman; 0 when none was seen
	open     int            // rows of questions that have not come to their end
	doubtful bool           // a row has ended in silence
	fault    *session.Fault // of the first offer, when that was not taken
}

// complete reports that nothing more would be found by asking.
func (g *grade) complete() bool { return g.open == 0 && !g.doubtful }

// took takes an answer down, and reports whether it took the offer.
func (g *grade) took(o offer, r reading) bool {
	if !r.taken() {
		g.doubtful = g.doubtful || r.fault.Class == session.FaultTimeout
		return false
	}
	h := r.server
	if h == nil || h.Version != g.version || !slices.Contains(o.Suites, h.Suite) {
		return false
	}
	if g.version == wire.VersionTLS13 && !slices.Contains(o.Groups, h.Group) {
		return false
	}
	first := len(g.suites) == 0
	g.suites = join(g.suites, []uint16{h.Suite})
	if h.Group != 0 && (first || g.version == wire.VersionTLS13) {
		g.groups = join(g.groups, []uint16{h.Group})
	}
	if h.DHBits > 0 && (g.dhBits == 0 || h.DHBits < g.dhBits) {
		g.dhBits = h.DHBits
	}
	return true
}

// first asks whether a version is taken at all.
func (s *survey) first(g *grade) trial {
	g.state = stateUnknown
	rank := rankVersions
	if g.version == wire.VersionSSL30 {
		rank = rankWeak
	}
	o := s.hello(g.version, append(soundSuites(g.version), weakSuites(g.version)...), everyGroup())
	return trial{rank, o, func(r reading) []trial {
		if g.took(o, r) {
			g.state = stateTaken
			return s.follow(g, r)
		}
		g.fault = r.fault
		switch {
		case g.doubtful:
			g.state = stateSilent
		case r.fault != nil && (r.fault.Class == session.FaultNotTLS || r.fault.Class == session.FaultCorrupt):
			g.state = stateNoTLS
		case r.fault == nil || r.fault.Alert != alertUnrecognizedName:
			g.state = stateRefused
		case o.SNI != "":
			s.nameless = true // no version is at fault: the others are asked without, too
			return []trial{s.first(g)}
		default:
			g.state = stateName
		}
		return nil
	}}
}

// hello is an offer of one version alone, in the way of its time.
func (s *survey) hello(version uint16, suites, groups []uint16) offer {
	o := offer{wire.ClientHello{Version: version, Suites: suites, SNI: nameAlone(s.target.Host)}}
	switch version {
	case wire.VersionSSL30: // knows no extensions
		o.SNI = ""
		return o
	case wire.VersionTLS13:
		o.Version, o.Versions = 0, []uint16{version}
	}
	if s.nameless {
		o.SNI = ""
	}
	o.Groups = groups
	if version >= wire.VersionTLS12 {
		o.Signatures = allSignatures()
	}
	return o
}

// follow asks what else a version is taken with.
func (s *survey) follow(g *grade, r reading) []trial {
	if g.version == wire.VersionTLS13 {
		return s.both(g, less(soundSuites(g.version), r.server.Suite), less(surveyedGroups(), r.server.Group))
	}
	rank, rankOfWeak := rankOld, rankOld
	if g.version == wire.VersionTLS12 {
		rank, rankOfWeak = rankSuites, rankWeak
	}
	next := s.row(g, rankOfWeak, withoutKind(weakSuites(g.version), r.server.Suite))
	if s.order == orderUnknown && weakness(r.server.Suite) == weakNone {
		next = append(next, s.askOrder(g, r.server.Suite))
	}
	with, none := splitSecrecy(less(soundSuites(g.version), r.server.Suite))
	next = append(next, s.row(g, rank, with)...)
	return append(next, s.row(g, rank, none)...)
}

// row asks for what is taken of a list of suites.
func (s *survey) row(g *grade, rank int, suites []uint16) []trial {
	if len(suites) == 0 {
		return nil
	}
	g.open++
	o := s.hello(g.version, suites, everyGroup())
	return []trial{{rank, o, func(r reading) []trial {
		g.open--
		if !g.took(o, r) {
			return nil
		}
		return s.row(g, rank, withoutKind(suites, r.server.Suite))
	}}}
}

// askOrder offers the sound suites backwards: who chooses the same again
// chooses by an order of its own. ChaCha20 is left out, as some who do so still
// prefer it for an app that puts it first: that one has no AES in hardware.
func (s *survey) askOrder(g *grade, chosen uint16) trial {
	backwards := slices.DeleteFunc(soundSuites(g.version), func(id uint16) bool {
		return id != chosen && strings.Contains(wire.SuiteName(id), "_CHACHA20_")
	})
	slices.Reverse(backwards)
	o := s.hello(g.version, backwards, everyGroup())
	return trial{rankWeak, o, func(r reading) []trial {
		switch {
		case !g.took(o, r):
		case r.server.Suite == chosen:
			s.order = orderOwn
		default:
			s.order = orderApps
		}
		return nil
	}}
}

// both asks for suites and groups of TLS 1.3 at once, as an answer names one
// of each. A refusal leaves open which of them are exhausted: the groups are
// asked for with all suites then.
func (s *survey) both(g *grade, suites, groups []uint16) []trial {
	if len(suites) == 0 || len(groups) == 0 {
		return append(s.groupRow(g, groups, nil), s.row(g, rankSuites, suites)...)
	}
	g.open++
	o := s.hello(g.version, suites, groups)
	return []trial{{rankSuites, o, func(r reading) []trial {
		g.open--
		if !g.took(o, r) {
			return s.groupRow(g, groups, suites)
		}
		return s.both(g, less(suites, r.server.Suite), less(groups, r.server.Group))
	}}}
}

// groupRow asks for groups with all suites. Where the first question shows
// that the groups were exhausted, the undecided suites are asked for.
func (s *survey) groupRow(g *grade, groups, undecided []uint16) []trial {
	if len(groups) == 0 {
		return s.row(g, rankSuites, undecided)
	}
	g.open++
	o := s.hello(g.version, soundSuites(g.version), groups)
	return []trial{{rankSuites, o, func(r reading) []trial {
		g.open--
		if !g.took(o, r) {
			return s.row(g, rankSuites, undecided)
		}
		return s.groupRow(g, less(groups, r.server.Group), nil)
	}}}
}

// less is a list without one of it.
func less(list []uint16, id uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(list), func(other uint16) bool { return other == id })
}
