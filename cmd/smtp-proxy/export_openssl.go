package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// OpensslFormat is the session as a dialogue through openssl s_client. Typed
// ahead it would race with the replies, so it is a script that waits. It adds
// no -crlf, which would double the CR of a message.
func (x *export) OpensslFormat() format {
	return format{
		name:  "openssl",
		about: "a shell script that repeats it through openssl s_client, for trouble of TLS",
		file:  ".sh", each: true,
		write: x.writeReproduction((*reproduction).openssl),
	}
}

func (r *reproduction) openssl() (string, error) {
	if err := r.opensslCan(); err != nil {
		return "", err
	}
	head := append(r.head(), "", "Its last line says what is reached now. Run it as", "  sh repro.sh")
	if r.opensslHandshake() {
		return "#!/bin/sh\n" + remarks("#", head) + r.handshakeScript(), nil
	}
	calls, err := r.shellCalls()
	if err != nil {
		return "", err
	}
	t, err := template.ParseFS(reproduceFiles, "reproduce/openssl.txt")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Head": remarks("#", head), "Before": r.shellBindings(), "Connect": r.sClient("-quiet"),
		"Seconds": int(r.patience.Seconds()), "Calls": calls,
	})
	return b.String(), err
}

// opensslHandshake reports whether no dialogue is needed behind the handshake.
func (r *reproduction) opensslHandshake() bool {
	goal := r.goal()
	return goal.phase == session.PhaseConnect || goal.verb == "" && goal.phase == session.PhaseTLS
}

// opensslCan names another format for what it cannot show.
func (r *reproduction) opensslCan() error {
	const others = "use --format python, node or go"
	switch goal := r.goal(); {
	case r.opensslHandshake() && goal.fault == faultTimeout:
		return errors.New("openssl s_client waits for a connection or a handshake without end: " + others)
	case goal.phase == session.PhaseHelo && goal.fault != "" && r.askedCertificate():
		return errors.New("openssl s_client does not tell a handshake from what comes right behind it: " + others)
	case goal.phase == session.PhaseConnect && goal.fault != "":
	case r.tls == tlsNone:
		return errors.New("openssl s_client speaks TLS only, and the session was in clear: " + others)
	case r.tls == tlsSTARTTLS && !r.secured():
		return errors.New("openssl s_client does not show what comes before TLS, where the session failed: " + others)
	}
	switch r.mechanism() {
	case "", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "ANONYMOUS":
	default:
		return fmt.Errorf("AUTH %s cannot be typed: %s", visible(r.mechanism()), others)
	}
	for i := range r.steps {
		if auth := r.steps[i].auth; auth != nil {
			if err := fitsShell(auth.Username, auth.Authzid); err != nil {
				return err
			}
		}
		if err := fitsShell(r.steps[i].command); err != nil {
			return err
		}
	}
	return fitsShell(r.host)
}

// askedCertificate reports that the smarthost asked for a certificate, which
// under TLS 1.3 it refuses behind the handshake.
func (r *reproduction) askedCertificate() bool {
	return slices.ContainsFunc(r.steps, func(s step) bool { return s.tls != nil && s.tls.AskedCert })
}

// sClient is the command that connects.
func (r *reproduction) sClient(more string) string {
	options := []string{"openssl s_client", option("-connect", r.target())}
	if r.tls == tlsSTARTTLS {
		options = append(options, "-starttls smtp")
		if e := r.envelope(); e.helo != "" {
			options = append(options, "-name "+shellWord(e.helo))
		}
	}
	if name := r.serverName(); name != "" {
		options = append(options, "-servername "+shellWord(name))
	}
	if r.verifies {
		verify := "-verify_hostname "
		if _, err := netip.ParseAddr(r.sni); err == nil {
			verify = "-verify_ip "
		}
		options = append(options, "-verify_return_error", verify+shellWord(r.sni), `${SMTP_CA:+-CAfile "$SMTP_CA"}`)
	}
	return strings.Join(append(options, more), " ")
}

// handshakeScript shows the chain and how the handshake ends.
func (r *reproduction) handshakeScript() string {
	return "\nout=$(" + r.sClient("-showcerts") + ` </dev/null 2>&1)
code=$?
printf '%s\n' "$out" | LC_ALL=C tr '\000-\011\013-\037\177' '?'
why=$(printf '%s\n' "$out" | LC_ALL=C tr '\000-\011\013-\037\177' '?' | grep -E 'error|errno' | tail -n 1)
case $out in
*"certificate verify failed"*) echo "reached TLS: certificate: $why"; exit 29 ;;
*"onnection refused"*) echo "reached CONNECT: refused: $why"; exit 2 ;;
*"onnection timed out"* | *"Operation timed out"*) echo "reached CONNECT: timeout: $why"; exit 2 ;;
*"BIO_lookup"* | *"Name or service not known"* | *"nodename nor servname"*) echo "reached CONNECT: no-such-host: $why"; exit 2 ;;
*"unreachable"* | *"No route to host"*) echo "reached CONNECT: unreachable: $why"; exit 2 ;;
esac
[ $code = 0 ] || { echo "reached TLS: tls: $why"; exit 29; }
echo "reached ` + r.goal().stage() + `: ok"
`
}

func (r *reproduction) shellBindings() []string {
	var all []string
	for _, secret := range r.secrets() {
		all = append(all, fmt.Sprintf(`: "${%s:?set it to the %s}"`, secret, secretWord(secret)))
	}
	for _, n := range r.numbers() {
		all = append(all, strings.TrimSuffix(r.messages[n].shell(), "\n"))
	}
	return all
}

// shellCalls is the dialogue behind the handshake.
func (r *reproduction) shellCalls() ([]string, error) {
	p := &typist{reproduction: r, sent: map[int]int64{}}
	from := 0
	for i := range r.steps {
		if r.steps[i].tls != nil {
			from = i + 1
		}
	}
	for i := from; i < len(r.steps); i++ {
		s := &r.steps[i]
		if s.failed() && i < len(r.steps)-1 && s.fault == "" {
			p.call("tolerate")
		}
		p.play(s)
	}
	if goal := r.goal(); goal.phase == session.PhaseData || goal.verb == "DATA" {
		p.call("drop")
	} else {
		p.call("end")
	}
	return p.lines, nil
}

// typist turns steps into lines of a shell.
type typist struct {
	*reproduction
	lines []string
	sent  map[int]int64
}

func (p *typist) call(words ...string) { p.lines = append(p.lines, strings.Join(words, " ")) }

func (p *typist) play(s *step) {
	switch {
	case s.verb == "" && s.phase == session.PhaseGreeting:
		p.call("greeting")
	case s.verb == "AUTH" && s.auth != nil:
		p.authenticate(s)
	case s.verb == ".":
		p.call("data", p.messages[s.message].name())
	case s.verb == "BDAT":
		p.chunk(s)
	default:
		p.call("say", s.stage(), shellWord(s.command))
	}
}

func (p *typist) authenticate(s *step) {
	auth := s.auth
	b64 := func(format string, words ...string) string {
		return `"$(b64 ` + shellWord(format) + " " + strings.Join(words, " ") + `)"`
	}
	answer := ""
	switch strings.ToUpper(auth.Mechanism) {
	case "PLAIN":
		answer = b64(`%s\000%s\000%s`, shellWord(auth.Authzid), shellWord(auth.Username), `"$SMTP_PASSWORD"`)
	case "XOAUTH2":
		answer = b64(`user=%s\001auth=Bearer %s\001\001`, shellWord(auth.Username), `"$SMTP_TOKEN"`)
	case "OAUTHBEARER":
		answer = b64(`%s%s\001\001`, shellWord(p.bearer(auth.Username)), `"$SMTP_TOKEN"`)
	default:
		answer = b64(`%s`, shellWord(auth.Username))
	}
	first := "AUTH " + auth.Mechanism
	if auth.Malformed != "" {
		answer = shellWord(malformed)
	}
	if s.initial() {
		p.call("secret", shellWord(first+" "), answer)
	} else {
		p.call("secret", shellWord(first), "''")
		p.call("answer", answer)
	}
	switch strings.ToUpper(auth.Mechanism) {
	case "LOGIN":
		p.call("answer", b64(`%s`, `"$SMTP_PASSWORD"`))
	case "XOAUTH2":
		p.call("answer", "''")
	case "OAUTHBEARER":
		p.call("answer", "AQ==")
	}
}

func (p *typist) chunk(s *step) {
	t := p.messages[s.message]
	size, _, _, _ := wire.Chunk(wire.ParseCommandText(s.command).Arg)
	from, command := p.sent[s.message], s.command
	if t.file == "" {
		size = max(0, int64(len(t.stand))-from)
		command = "BDAT " + strconv.FormatInt(size, 10) + lastWord(s)
	}
	p.sent[s.message] = from + size
	p.call("chunk", s.stage(), shellWord(command), t.name(), strconv.FormatInt(from, 10), strconv.FormatInt(size, 10))
}
