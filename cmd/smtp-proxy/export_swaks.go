package main

import (
	"errors"
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
)

// SwaksFormat is the session as a command line of swaks.
func (x *export) SwaksFormat() format {
	return format{
		name:  "swaks",
		about: "a shell script that repeats it with swaks, as far as it came",
		file:  ".sh", each: true,
		write: x.writeReproduction((*reproduction).swaks),
	}
}

func (r *reproduction) swaks() (string, error) {
	e := r.envelope()
	if err := errors.Join(r.swaksCan(e), fitsShell(append(e.to, e.from, e.helo, r.host, r.user())...)); err != nil {
		return "", err
	}
	options := []string{
		option("--server", r.host), option("--port", r.port), fmt.Sprintf("--timeout %ds", int(r.patience.Seconds())),
	}
	options = append(options, e.swaksHello()...)
	options = append(options, r.swaksTLS()...)
	options = append(options, r.swaksAuth()...)
	options = append(options, r.swaksMail(e)...)
	script := r.shellScript()
	if lost := e.lost(); lost != "" {
		script += remarks("#", []string{"swaks does not send: " + lost})
	}
	if r.sends() {
		// Its own reading of a message would replace tokens and add an empty line.
		script += "{ LC_ALL=C sed 's/^\\./../' " + r.files()[0] + "; printf .; } |\n"
		options = append(options, "--data - --no-data-fixup")
	}
	if secretOf(r.auth) != "" {
		script += "SWAKS_OPT_auth_password=$SMTP_PASSWORD \\\n"
	}
	return script + commandLine("swaks", options), nil
}

// option is an option and its value. A value with a dash in front would be
// taken for an option itself.
func option(name, value string) string {
	if strings.HasPrefix(value, "-") {
		return name + "=" + shellWord(value)
	}
	return name + " " + shellWord(value)
}

// swaksCan names another format for what it cannot say.
func (r *reproduction) swaksCan(e envelope) error {
	goal := r.goal()
	switch {
	case len(r.messages) > 1:
		return errors.New("swaks sends one message a session: use --format python, node or go, or name one with --message")
	case goal.tls != nil && goal.tls.Verify == session.VerifyName:
		return errors.New("swaks does not compare the name in a certificate: use --format openssl")
	case goal.phase == session.PhaseTLS && goal.fault == faultTimeout:
		return errors.New("swaks waits for a handshake without end: use --format python, node or go")
	case r.malformed() != "":
		return errors.New("swaks signs in as it should, and the app's answer was malformed: use --format python, node or go")
	case goal.other():
		return fmt.Errorf("swaks does not say %s: use --format python, node or go", visible(goal.verb))
	}
	switch r.mechanism() {
	case "", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM":
	default:
		return fmt.Errorf("swaks does not know AUTH %s: use --format python, node or go", visible(r.mechanism()))
	}
	for _, to := range e.to {
		if strings.Contains(to, ",") {
			return fmt.Errorf("swaks takes %s for several addresses: use --format python, node or go", visible(to))
		}
	}
	return r.signsIn("swaks")
}

func (e *envelope) swaksHello() []string {
	var options []string
	switch e.hello {
	case "":
		return nil
	case "HELO":
		options = append(options, "--protocol SMTP")
	case "LHLO":
		options = append(options, "--protocol LMTP")
	}
	return append(options, option("--ehlo", e.helo))
}

func (r *reproduction) swaksTLS() []string {
	var options []string
	switch r.tls {
	case tlsNone:
		return nil
	case tlsImplicit:
		options = append(options, "--tls-on-connect")
	case tlsSTARTTLS:
		options = append(options, "--tls")
	}
	if name := r.serverName(); name != "" {
		options = append(options, option("--tls-sni", name))
	}
	if r.verifies {
		options = append(options, `--tls-verify ${SMTP_CA:+--tls-ca-path "$SMTP_CA"}`)
	}
	return options
}

func (r *reproduction) swaksAuth() []string {
	if r.auth == nil {
		return nil
	}
	return []string{"--auth " + shellWord(r.mechanism()), option("--auth-user", r.user()), "--auth-hide-password"}
}

// swaksMail says who writes to whom, and where to stop.
func (r *reproduction) swaksMail(e envelope) []string {
	var options []string
	if r.says("MAIL") {
		from := e.from
		if from == "" {
			from = "<>"
		}
		options = append(options, option("--from", from))
	}
	if len(e.to) > 0 {
		options = append(options, option("--to", strings.Join(e.to, ",")))
	}
	if stop := r.swaksStop(e); stop != "" {
		options = append(options, stop)
	}
	return options
}

// swaksStop is where it leaves with QUIT. Behind a 354 only breaking off is
// sure to deliver nothing.
func (r *reproduction) swaksStop(e envelope) string {
	switch goal := r.goal(); goal.phase {
	case session.PhaseConnect, session.PhaseGreeting:
		return "--quit-after BANNER"
	case session.PhaseHelo:
		if r.tls == tlsSTARTTLS && !r.secured() {
			return "--quit-after FIRST-EHLO"
		}
		return "--quit-after EHLO"
	case session.PhaseTLS:
		return "--quit-after TLS"
	case session.PhaseData:
		return "--drop-after DATA"
	case session.PhaseDot:
		return ""
	default:
		return "--quit-after " + strings.ToUpper(string(goal.phase))
	}
}
