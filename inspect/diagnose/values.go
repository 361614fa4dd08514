package diagnose

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// value returns what a session knows about the placeholders of a symptom.
func (f *facts) value(s *symptom) func(string) string {
	at := f.s.Started
	if len(s.evidence) > 0 {
		at = s.evidence[0].At
	}
	return func(name string) string {
		if v := s.values[name]; v != "" {
			return v
		}
		return f.known(name, at)
	}
}

func (f *facts) known(name string, at time.Time) string {
	switch name {
	case "host":
		return f.host
	case "port":
		return f.port
	case "upstream":
		return f.s.Upstream.Name
	case "addr":
		return f.s.Upstream.Addr
	case "app":
		return f.s.App.Addr
	case "helo":
		return f.s.App.Helo
	case "now":
		return day(at)
	case "user", "mechanism", "mechanisms":
		return f.knownAuth(name)
	case "from", "from_domain", "rcpt", "rcpt_domain", "size":
		return f.knownMail(name)
	case "limit":
		return sizeWords(f.sizeLimit())
	}
	if e := cmp.Or(f.tls[session.Upstream], f.shaken[session.Upstream]); e != nil && e.TLS != nil {
		return certificateValues(e.TLS, at)[name]
	}
	return ""
}

func (f *facts) knownAuth(name string) string {
	if name == "mechanisms" {
		params, _ := f.offers("AUTH")
		return strings.Join(strings.Fields(params), ", ")
	}
	if name == "mechanism" {
		return f.auth.mechanism
	}
	if f.s.Auth != nil && f.s.Auth.Username != "" {
		return f.s.Auth.Username
	}
	if a := f.lastAuth(); a != nil {
		return a.Username
	}
	return ""
}

func (f *facts) knownMail(name string) string {
	if len(f.s.Messages) == 0 {
		return ""
	}
	m := &f.s.Messages[len(f.s.Messages)-1]
	rcpt := ""
	if len(m.To) > 0 {
		rcpt = m.To[len(m.To)-1].Addr
	}
	switch name {
	case "from":
		return m.From
	case "from_domain":
		return domain(m.From)
	case "rcpt":
		return rcpt
	case "rcpt_domain":
		return domain(rcpt)
	}
	return sizeWords(m.Size)
}

// sizeLimit is what the EHLO reply's SIZE says, 0 when it says nothing.
func (f *facts) sizeLimit() int64 {
	params, _ := f.offers("SIZE")
	n, err := strconv.ParseInt(params, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func sizeWords(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n < 10_000:
		return strconv.FormatInt(n, 10) + " octets"
	case n < 10_000_000:
		return strconv.FormatInt(n/1000, 10) + " kB"
	}
	return strconv.FormatInt(n/1_000_000, 10) + " MB"
}

func domain(addr string) string {
	_, d, _ := strings.Cut(addr, "@")
	return d
}

// certificateValues are the placeholders that a handshake fills in. The dates
// are those of the certificate that is out of date, the leaf's otherwise.
func certificateValues(t *session.TLS, now time.Time) map[string]string {
	v := map[string]string{"version": t.Version, "missing": t.RootHint}
	if len(t.Chain) == 0 {
		return v
	}
	leaf, dated := t.Chain[0], t.Chain[0]
	for _, c := range t.Chain {
		if outOfDate(c, now) {
			dated = c
			break
		}
	}
	names := leaf.Names
	const most = 8
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	v["names"] = strings.Join(names, ", ")
	if len(names) == 0 {
		v["names"] = leaf.Subject
	}
	v["subject"], v["issuer"] = leaf.Subject, t.Chain[len(t.Chain)-1].Issuer
	v["not_before"], v["not_after"] = day(dated.NotBefore), day(dated.NotAfter)
	return v
}

var (
	ipInReply   = regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}\b`)
	linkInReply = regexp.MustCompile(`https?://[^\s<>"')\]]+`)
	listInReply = regexp.MustCompile(`(?i)\b(?:using|by|at|in|on) ([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b`)
)

// replyValues takes out of a reply what its text names: this side's address as
// the smarthost sees it, a link, a list, and of a RCPT its recipient.
func (f *facts) replyValues(r *reply) map[string]string {
	v := textValues(r.Text)
	if r.rcpt != "" {
		v["rcpt"], v["rcpt_domain"] = r.rcpt, domain(r.rcpt)
	}
	if r.mail >= 0 {
		v["from"], v["from_domain"] = f.mails[r.mail].from, domain(f.mails[r.mail].from)
	}
	return v
}

func textValues(text string) map[string]string {
	v := map[string]string{"egress": ipInReply.FindString(text), "link": strings.TrimRight(linkInReply.FindString(text), ".,;")}
	if m := listInReply.FindStringSubmatch(text); m != nil {
		v["list"] = m[1]
	}
	return v
}
