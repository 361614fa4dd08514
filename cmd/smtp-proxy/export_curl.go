package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// CurlFormat is the session as a command line of curl.
func (x *export) CurlFormat() format {
	return format{
		name:  "curl",
		about: "a shell script that repeats it with curl -v, as far as it came",
		file:  ".sh", each: true,
		write: x.writeReproduction((*reproduction).curl),
	}
}

func (r *reproduction) curl() (string, error) {
	e := r.envelope()
	if err := r.curlCan(e); err != nil {
		return "", err
	}
	common, err := r.curlCommon(e)
	if err != nil {
		return "", err
	}
	script := r.shellScript() + remarks("#", r.curlRemarks(e))
	if r.sends() {
		return script + commandLine("curl --verbose --no-progress-meter", append(common, r.curlMessage(e)...)), nil
	}
	var groups []string
	for _, command := range r.curlCommands() {
		if err := fitsShell(command); err != nil {
			return "", err
		}
		groups = append(groups, strings.Join(append(slices.Clone(common), option("--request", command)), " \\\n  "))
	}
	// A connection lasts over --next, so this is one session.
	return script + "curl --verbose --no-progress-meter --fail-early \\\n  " + strings.Join(groups, " \\\n  --next \\\n  ") + "\n", nil
}

// curlCan names another format for what it cannot say.
func (r *reproduction) curlCan(e envelope) error {
	const others = "use --format python, node or go"
	switch {
	case e.hello == "LHLO":
		return errors.New("curl does not speak LMTP: " + others)
	case len(r.messages) > 1:
		return errors.New("curl sends one message a session: " + others + ", or name one with --message")
	case r.sends() && e.chunked && r.goal().phase != session.PhaseDot:
		return errors.New("curl does not say BDAT: " + others)
	case r.malformed() != "":
		return errors.New("curl signs in as it should, and the app's answer was malformed: " + others)
	case strings.Contains(r.user(), ":"):
		return fmt.Errorf("curl ends the user name at its colon, and that of %s has one: %s", r.session, others)
	}
	switch r.mechanism() {
	case "", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL":
		return r.signsIn("curl")
	}
	return fmt.Errorf("curl does not know AUTH %s: %s", visible(r.mechanism()), others)
}

// curlCommon are the options that each of its commands needs.
func (r *reproduction) curlCommon(e envelope) ([]string, error) {
	if err := fitsShell(append(e.to, e.from, e.helo, r.host, r.user())...); err != nil {
		return nil, err
	}
	scheme := "smtp"
	if r.tls == tlsImplicit {
		scheme = "smtps"
	}
	where := url.URL{Scheme: scheme, Host: net.JoinHostPort(r.host, r.port), Path: "/" + e.helo}
	options := []string{option("--url", where.String()), fmt.Sprintf("--connect-timeout %d", int(r.patience.Seconds()))}
	if r.tls == tlsSTARTTLS {
		options = append(options, "--ssl-reqd")
	}
	switch {
	case r.tls == tlsNone:
	case r.verifies:
		options = append(options, `${SMTP_CA:+--cacert "$SMTP_CA"}`)
	default:
		options = append(options, "--insecure")
	}
	return append(options, r.curlAuth()...), nil
}

func (r *reproduction) curlAuth() []string {
	if r.auth == nil {
		return nil
	}
	options := []string{option("--login-options", "AUTH="+r.mechanism())}
	switch secretOf(r.auth) {
	case "SMTP_TOKEN":
		options = append(options, option("--user", r.user()), `--oauth2-bearer "$SMTP_TOKEN"`)
	case "SMTP_PASSWORD":
		options = append(options, "--user "+shellWord(r.user()+":")+`"$SMTP_PASSWORD"`)
	default:
		options = append(options, option("--user", r.user()+":"))
	}
	if slices.ContainsFunc(r.steps, func(s step) bool { return s.verb == "AUTH" && s.initial() }) {
		options = append(options, "--sasl-ir")
	}
	return options
}

// curlMessage lets it send the message in its own way.
func (r *reproduction) curlMessage(e envelope) []string {
	options := []string{option("--mail-from", e.from)}
	for _, to := range e.to {
		options = append(options, option("--mail-rcpt", to))
	}
	if slices.ContainsFunc(r.steps, func(s step) bool { return s.verb == "RCPT" && s.failed() }) {
		options = append(options, "--mail-rcpt-allowfails")
	}
	return append(options, option("--upload-file", r.files()[0]))
}

// curlCommands are what it says as it is told to: it has no way to stop
// behind a recipient that was accepted. Without any it would ask for help.
func (r *reproduction) curlCommands() []string {
	var all []string
	for i := range r.steps {
		s := &r.steps[i]
		last := i == len(r.steps)-1
		if (s.message >= 0 || s.other()) && (last || !s.failed()) {
			all = append(all, s.command)
		}
	}
	if len(all) == 0 {
		all = append(all, "NOOP")
	}
	return all
}

func (r *reproduction) curlRemarks(e envelope) []string {
	var all []string
	if r.auth != nil {
		all = append(all, "curl --verbose shows the secret in base64: mind who reads its output.")
	}
	if e.hello == "HELO" {
		all = append(all, "curl says EHLO first, and HELO where that is refused.")
	}
	if lost := e.lost(); lost != "" && r.sends() {
		all = append(all, "curl does not send: "+lost)
	}
	if !r.sends() && slices.ContainsFunc(r.steps[:len(r.steps)-1], func(s step) bool { return s.failed() }) {
		all = append(all, "Left out: what was refused before, as curl would end there.")
	}
	return all
}
