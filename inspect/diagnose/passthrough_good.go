package diagnose

import (
	"fmt"

	"smtp-proxy/proxy/session"
)

// refusedGood is an app that refuses a certificate for something in which
// nothing is wrong by this machine's roots and clock.
func (x through) refusedGood(e, shown *session.Entry) symptom {
	s := symptom{cause: "tls.app-rejected-certificate", values: certificateValues(shown.TLS, shown.At)}
	s.title = "The app does not trust the certificate of {host}"
	here := "verifies on this machine"
	nameless := x.misnamed(shown) || shown.TLS.Verify == session.VerifyName
	if nameless {
		here = "is in order on this machine but for its name"
	}
	s.what = "The certificate of {host} (for {names}, issued by {issuer}) " + here + ", and the app refused it: "
	if shown.Kind == session.KindProbe {
		s.what = "TLS 1.3 hides the certificate on its way, so the proxy asked {host} for it: it is for {names}, issued by {issuer}, and " + here + ". The app refused it all the same: "
	}
	objection, fix := objected(e.Fault)
	s.what += objection
	s.fix = fix
	if nameless {
		name := or(x.asked(), x.host)
		s.what += fmt.Sprintf(" That is not all: the certificate does not name %s either, which a careful app refuses next.", name)
		s.fix = append(s.fix, nameFix()...)
	}
	return s
}

// objected is what an app says against a certificate that seems in order, and
// what to do about it.
func objected(f *session.Fault) (why string, fix []string) {
	const roots = "Give the app a current list of roots: install ca-certificates in its container; Java keeps its own (cacerts), so do Node.js (NODE_EXTRA_CA_CERTS) and Python (certifi, SSL_CERT_FILE)."
	alert := 0
	if f != nil && f.Class == session.FaultAlert {
		alert = f.Alert
	}
	switch alert {
	case alertUnknownCA:
		return "it does not know the issuer. Its list of roots is another one, an old one, or empty.", []string{
			roots,
			"If {issuer} is a company's own authority: this machine has its root, and the app needs it too.",
		}
	case alertCertificateExpired:
		return "it says that the certificate has expired, and it is valid until {not_after}.", []string{
			"Check the clock where the app runs.",
			"An old list of roots may have an expired one in it. " + roots,
		}
	case alertCertificateRevoked:
		return "it says that the certificate was revoked. The handshake does not show that; some apps ask the authority themselves, or have a list.", []string{
			"Ask the operators of {host} whether the certificate was withdrawn, and do not go on before they have answered.",
			"If it was not: update the app's list of revoked certificates.",
		}
	}
	return "it has another list of roots, an old one or none, or expects another name.", []string{
		roots,
		"Check which host name the app was told: the certificate is for {names}, and an app that connects to localhost or an address looks for that.",
	}
}

// nameFix are the steps for an app that was told another name than the
// smarthost's.
func nameFix() []string {
	return []string{
		"Let the app connect under the name of the smarthost: an entry for it with this proxy's address in /etc/hosts, or --transparent with a firewall rule.",
		"Or let the proxy end TLS on the app's leg: --tls terminate --app-tls offer, with a certificate for localhost.",
		"Some libraries take the name to verify apart from the address: nodemailer tls.servername, Go tls.Config.ServerName.",
	}
}
