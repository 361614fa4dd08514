package diagnose

import (
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
)

// ruledOut says what the session proves to be fine, as far as somebody who
// looks for the cause would suspect it.
func (f *facts) ruledOut(cause string) (out []string) {
	family := familyOf(cause)
	stage := strings.Index("connect tls auth", family)
	if family == "proxy" || family == "app" || stage == 0 {
		return nil
	}
	if f.greeting != nil && f.greeting.Code < 400 {
		out = append(out, fmt.Sprintf("%s answers on port %s: not DNS, port or firewall", f.host, or(f.port, "?")))
	}
	if e := f.tls[session.Upstream]; family != "tls" && e != nil && e.Fault == nil && e.TLS != nil && e.TLS.Verified {
		out = append(out, fmt.Sprintf("TLS with %s stands (%s, certificate verified): not TLS", f.host, e.TLS.Version))
	}
	if family != "tls" && family != "auth" && f.auth.state == "accepted" {
		out = append(out, "the sign-in was accepted: not user name or password")
	}
	return out
}

func familyOf(cause string) string {
	family, _, _ := strings.Cut(cause, ".")
	return family
}
