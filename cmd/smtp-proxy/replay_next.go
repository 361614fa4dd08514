package main

import (
	"bytes"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
)

// conclusion writes the diagnosis of what failed, the verdict, and what to do
// next.
func (v comparison) conclusion(b *bytes.Buffer, s *played) {
	b.WriteByte('\n')
	if list := s.findings(); len(list) > 0 {
		v.findings(b, list[:1], "")
		b.WriteByte('\n')
	}
	as := boldRed
	if s.identical() {
		as = green
	}
	b.WriteString(v.paint(as, visible(oneLine(s.verdict()))) + "\n")
	for _, text := range s.next(v.flags) {
		b.WriteString("  " + visible(text) + "\n")
	}
}

// next lists what its owner may want to do now, as commands.
func (s *played) next(flags string) (list []string) {
	if s.kept {
		list = append(list, "smtp-proxy show "+s.now.ID+flags+"  has all of it, on both legs")
	}
	again := "smtp-proxy replay " + shellWord(s.again) + flags + s.way
	phase, short := s.short()
	switch {
	case short && phase == session.PhaseTLS:
		list = append(list, s.trust(again)...)
	case !short && !s.options.Deliver && len(s.options.To) == 0 && hasMessage(s.recorded):
		list = append(list, again+" --to you@example.com  sends the message to you")
	}
	return list
}

// trust lists what run may have been given to get past a certificate that is
// refused now: a record holds no such settings.
func (s *played) trust(again string) []string {
	then := s.recorded.Upstream.TLS
	switch {
	case then == nil || s.now == nil || s.now.Upstream.TLS == nil || s.now.Upstream.TLS.Error == "":
		return nil
	case !then.Verified:
		return []string{again + " --upstream-insecure  goes on all the same, as was done then"}
	case !strings.Contains(s.way, " --upstream-ca "):
		return []string{again + " --upstream-ca FILE  trusts a root that run was given"}
	}
	return nil
}

// way are the flags that decide where and how a session is played, for the
// command that does it once more.
func (r *repetition) way() string {
	var b strings.Builder
	for _, flag := range []struct{ name, value string }{
		{"upstream", r.config.Upstream}, {"upstream-ca", r.config.UpstreamCA},
		{"user", r.user}, {"password-file", r.secrets.password}, {"token-file", r.secrets.token},
	} {
		if flag.value != "" {
			b.WriteString(" --" + flag.name + " " + shellWord(flag.value))
		}
	}
	if r.config.UpstreamTLS != asRecorded {
		b.WriteString(" --upstream-tls " + r.config.UpstreamTLS)
	}
	if r.config.UpstreamInsecure {
		b.WriteString(" --upstream-insecure")
	}
	return b.String()
}

// hasMessage reports whether there is a message that could be delivered.
func hasMessage(s *inspect.Session) bool {
	for _, m := range s.Messages {
		if m.Captured == string(proxy.CaptureFull) && m.Code != 0 { // else it may have no end
			return true
		}
	}
	return false
}
