package diagnose

import (
	"fmt"
	"net"

	"smtp-proxy/proxy/session"
)

const (
	noSuchHost = "connect.dns-no-such-host"
	dnsFailure = "connect.dns-failure"
)

// ResolversUse: whether all DNS servers say the same of the smarthost tells a
// name that is wrong from a server that is. They are asked when a look-up
// failed.
func (uses) ResolversUse() use {
	return use{
		probe: "resolvers",
		wants: func(f *facts) (Question, bool) { return Question{}, f.found(noSuchHost, dnsFailure) },
		weigh: func(_ *facts, answer *session.Entry, all []symptom) {
			r := readResolvers(answer)
			for i := range all {
				switch s := &all[i]; s.cause {
				case noSuchHost:
					r.missing(s)
				case dnsFailure:
					r.failing(s)
				}
			}
		},
	}
}

// resolvers is what the DNS servers say of the host, each in one of three
// groups, by address.
type resolvers struct {
	answer               *session.Entry
	know, deny, fail     []string
	knowing, not, failed []string // the same with their words
}

func readResolvers(answer *session.Entry) *resolvers {
	r := &resolvers{answer: answer}
	for _, found := range answer.Probe.Found {
		words := fmt.Sprintf("%s (%s)", found.What, found.Text)
		switch found.Result {
		case "ok":
			r.know, r.knowing = append(r.know, found.What), append(r.knowing, words)
		case "no-such-host":
			r.deny, r.not = append(r.deny, found.What), append(r.not, words)
		default:
			r.fail, r.failed = append(r.fail, found.What), append(r.failed, words)
		}
	}
	return r
}

// missing weighs the answers about a name that did not exist.
func (r *resolvers) missing(s *symptom) {
	switch {
	case len(r.know) > 0 && len(r.deny) > 0:
		r.disagree(s)
	case len(r.know) > 0:
		s.proof(r.answer, again(r.answer)+", DNS had an address: "+listed(r.knowing)+". It has been added or found since, and what was remembered of its absence is passing.")
		s.side = "network"
		s.fix = []string{"Send again: {host} has an address now. If that comes and goes, see which DNS server of {host}'s zone lacks it: dig +nssearch {host}."}
	case len(r.deny) > 1:
		s.proof(r.answer, fmt.Sprintf("All %d DNS servers that answer say so: %s.", len(r.deny), listed(r.deny)))
	case len(r.deny) == 1:
		s.proof(r.answer, again(r.answer)+", "+r.deny[0]+" says the same.")
	default:
		s.proof(r.answer, again(r.answer)+", no DNS server answers: "+listed(r.failed)+".")
	}
}

// disagree is a name that some servers have and others deny: nobody mistyped
// it.
func (r *resolvers) disagree(s *symptom) {
	s.side = "network"
	s.title = "The DNS servers disagree about {host}"
	s.what = fmt.Sprintf("Asked one by one, the configured DNS servers do not say the same: %s %s {host}, and %s %s that there is none. "+
		"Which of them is asked first decides whether mail goes out. Either a server has old data, or the name exists only in an inner network and not all of them know that.",
		listed(r.knowing), verb(r.know, "knows", "know"), listed(r.deny), verb(r.deny, "says", "say"))
	s.fix = []string{
		"Ask the one that knows it: --resolver " + r.know[0] + ".",
		"Take " + listed(r.deny) + " out of this machine's DNS settings (/etc/resolv.conf), or have the name entered there. Compare: dig @" + digServer(r.know[0]) + " {host}; dig @" + digServer(r.deny[0]) + " {host}.",
	}
	s.rule = nil
	s.proof(r.answer, "")
	s.more = "" // the explanation says it all
}

// failing weighs the answers about a look-up that had none.
func (r *resolvers) failing(s *symptom) {
	switch {
	case len(r.know) > 0 && len(r.fail) > 0:
		s.proof(r.answer, fmt.Sprintf("It is not all of DNS: asked one by one, %s %s {host}, and %s %s.",
			listed(r.know), verb(r.know, "knows", "know"), listed(r.failed), verb(r.fail, "fails", "fail")))
		s.first = append([]string{"Ask the one that answers: --resolver " + r.know[0] + ". Then repair " + listed(r.fail) + ", or take it out of this machine's DNS settings."}, s.first...)
	case len(r.know) > 0:
		s.proof(r.answer, again(r.answer)+", DNS answers: "+listed(r.knowing)+". The trouble has passed.")
	case len(r.deny) > 0:
		s.proof(r.answer, "Asked one by one, "+listed(r.deny)+" "+verb(r.deny, "says", "say")+" that {host} does not exist: look at its spelling as well.")
	case len(r.fail) > 1:
		s.proof(r.answer, "None of the DNS servers has an answer: "+listed(r.failed)+". It is not one server's trouble: either this machine does not get through to any, or the servers of the name's own zone fail.")
	default:
		s.proof(r.answer, again(r.answer)+": "+listed(r.failed)+".")
	}
}

// digServer is a DNS server as dig takes it, the port behind an option.
func digServer(at string) string {
	host, port, err := net.SplitHostPort(at)
	switch {
	case err != nil:
		return at
	case port == "53":
		return host
	}
	return host + " -p " + port
}
