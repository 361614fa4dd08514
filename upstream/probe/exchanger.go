package probe

import (
	"net"
	"slices"
)

// exchangerOnly says why nothing is asked of what senders go by when they
// deliver to a mail exchanger: DANE and MTA-STS. Both are about port 25 (RFC
// 7672, section 2.2.3; RFC 8461, section 1), whatever else the host serves.
// Empty when they are asked.
func (x *examination) exchangerOnly() string {
	host, submission := x.target.Host, []int{465, 587, 2525}
	switch {
	case len(x.known.mailFor) == 0:
		return host + " is not known to be a mail exchanger, and senders go by DANE and MTA-STS with those only"
	case slices.Contains(submission, x.target.Port):
		return "senders go by DANE and MTA-STS at port 25: check " + net.JoinHostPort(host, "25")
	case len(x.prober.options.Connector.Resolvers()) == 0:
		return withoutNames
	}
	return ""
}
