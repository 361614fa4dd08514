package diagnose

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Question is a probe whose answer could change what is said of a session. Of
// the rest a question holds what that probe needs.
type Question struct {
	Probe  string         // as the answer's Probe.Name: certificate, ports …
	SNI    string         // certificate: the name to ask for; empty is the smarthost's own
	Hello  *session.Hello // direct: what the app offered
	Addr   netip.Addr     // dnsbl, sender: the address that a refusal names; zero when it names none
	Domain string         // sender: the domain whose mail was refused
}

// use is what the diagnosis makes of one probe.
type use struct {
	probe string
	// wants returns the question if an answer could change what is said.
	wants func(f *facts) (Question, bool)
	// weigh changes what was found as the answer demands. It is nil where
	// detectors read the answer. An answer that could not be had is not weighed.
	weigh func(f *facts, answer *session.Entry, all []symptom)
}

// uses carries one method for each probe, its name ending in Use, so that a
// probe is a file and no list names them all.
type uses struct{}

// all returns the uses in the order of their names.
func (u uses) all() (list []use) {
	methods := reflect.ValueOf(u)
	for i := range methods.NumMethod() {
		if !strings.HasSuffix(methods.Type().Method(i).Name, "Use") {
			continue
		}
		if make, ok := methods.Method(i).Interface().(func() use); ok {
			list = append(list, make())
		}
	}
	return list
}

// Probes returns the names of the probes that a diagnosis may ask for.
func Probes() (names []string) {
	for _, u := range (uses{}).all() {
		names = append(names, u.probe)
	}
	return names
}

// Questions returns the probes that would sharpen the diagnosis of a session
// that has ended, as far as its findings and its entries tell, and that have no
// answer in it yet.
func (e *Engine) Questions(s *inspect.Session) (list []Question) {
	e.contain("questions", s.ID, func() {
		f := &facts{set: e.set, s: s, report: e.report}
		f.read()
		for _, u := range e.uses {
			if q, ok := u.wants(f); ok && !f.probed(u.probe, q) {
				q.Probe = u.probe
				list = append(list, q)
			}
		}
	})
	return list
}

// probed reports whether a probe has been asked, with or without an answer. The
// blocklists may have been about another address.
func (f *facts) probed(name string, q Question) bool {
	return slices.ContainsFunc(f.probes, func(e *session.Entry) bool {
		other := name == probeBlocklists && q.Addr.IsValid() && e.Probe.Target != q.Addr.String()
		return e.Probe.Name == name && !other
	})
}

// found reports whether one of the causes is among the session's findings.
func (f *facts) found(causes ...string) bool {
	return slices.ContainsFunc(f.s.Findings, func(x inspect.Finding) bool { return slices.Contains(causes, x.Cause) })
}
