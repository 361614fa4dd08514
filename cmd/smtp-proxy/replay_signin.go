package main

import (
	"io"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
	"smtp-proxy/upstream/replay"
)

// checkSignIn refuses half a sign-in.
func (r *repetition) checkSignIn() error {
	if r.user == "" && r.secrets == (secretFiles{}) {
		return nil
	}
	return r.secrets.check(probe.Script{User: r.user})
}

// checkTrust refuses to sign in where a file alone says: whoever wrote it would
// be told the password. This machine is no stranger.
func (r *repetition) checkTrust(s *inspect.Session, id string) error {
	here := isSandbox(s.Upstream.Name) || policy.Loopback(s.Upstream.Name)
	if _, file := captureNamed(id); !file || here || r.user == "" || r.config.Upstream != "" {
		return nil
	}
	return usagef("only the file says that %s is the smarthost, and no password goes anywhere on a file's word: name it with --upstream", visible(s.Upstream.Name))
}

// sealed is the mode for another smarthost than the recorded one: a secret goes
// there under TLS, unless --upstream-tls says otherwise.
func (r *repetition) sealed(t upstream.Target) upstream.Target {
	const smtps = 465
	if r.user != "" && r.config.Upstream != "" && r.config.UpstreamTLS == asRecorded &&
		t.Mode == upstream.ModeAuto && t.Port != smtps && !policy.Loopback(t.Name) {
		t.Mode = upstream.ModeSTARTTLS
	}
	return t
}

// credentials reads the secret; nil when none is given.
func (r *repetition) credentials(stdin io.Reader) (*replay.Credentials, error) {
	if r.user == "" {
		return nil, nil
	}
	var s probe.Script
	if err := r.secrets.read(&s, stdin); err != nil {
		return nil, err
	}
	return &replay.Credentials{User: r.user, Password: s.Password, Token: s.Token}, nil
}

// notes tells what was left out because it was not given.
func (x *replayer) notes(s *inspect.Session) (list []string) {
	if s.Auth != nil && x.options.Auth == nil {
		list = append(list, "the session signed in by "+s.Auth.Mechanism+userOf(s)+", and the record holds no secrets: --user USER --password-file FILE signs in now")
	}
	return list
}

func userOf(s *inspect.Session) string {
	if s.Auth.Username == "" {
		return ""
	}
	return " as " + s.Auth.Username
}
