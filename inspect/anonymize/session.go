package anonymize

import (
	"reflect"
	"regexp"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Session returns a copy of a session with stand-ins. It reads the session
// twice: what is somebody's name is known only when all of it has been read,
// and it may stand alone before.
func (a *Anonymizer) Session(s *inspect.Session) *inspect.Session {
	a.upstream, a.settled = a.ownUpstream(s), map[string]string{}
	a.copy(s)
	a.settled = map[string]string{}
	return a.copy(s)
}

func (a *Anonymizer) copy(s *inspect.Session) *inspect.Session {
	heard := *s
	heard.Findings, heard.Edits, heard.Direct = nil, nil, nil
	out := a.value(reflect.ValueOf(&heard), "").Interface().(*inspect.Session)
	// The program's own words are about what the peers are called.
	if s.Findings != nil {
		out.Findings = a.value(reflect.ValueOf(s.Findings), "Finding").Interface().([]inspect.Finding)
	}
	if s.Edits != nil {
		out.Edits = a.value(reflect.ValueOf(s.Edits), "Session.Edits").Interface().([]string)
	}
	if s.Direct != nil {
		out.Direct = a.value(reflect.ValueOf(s.Direct), "").Interface().(*inspect.Direct)
	}
	return out
}

// ownUpstream returns the smarthost's name, which stays unless it is under the
// domain of the app or of a sender: then it is theirs.
func (a *Anonymizer) ownUpstream(s *inspect.Session) string {
	name, _ := hostPort(s.Upstream.Name)
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	_, base := split(name)
	if !strings.Contains(name, ".") || documented(base) {
		return name
	}
	for _, mine := range owners(s) {
		if _, theirs := split(strings.ToLower(mine)); theirs == base && !a.stays(theirs) {
			return ""
		}
	}
	return name
}

// documented reports the domains that belong to examples (RFC 2606).
func documented(base string) bool {
	return base == "example.com" || base == "example.net" || base == "example.org" || strings.HasSuffix(base, ".example") || strings.HasSuffix(base, ".test")
}

func owners(s *inspect.Session) []string {
	all := []string{s.App.Helo}
	add := func(address string) {
		if at := strings.LastIndexByte(address, '@'); at >= 0 {
			all = append(all, address[at+1:])
		}
	}
	for i := range s.Messages {
		add(s.Messages[i].From)
	}
	if s.Auth != nil {
		add(s.Auth.Username)
	}
	return all
}

// value copies a value with each text in it replaced as its place demands.
func (a *Anonymizer) value(v reflect.Value, place string) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(a.value(v.Elem(), place))
		return out
	case reflect.Struct:
		return a.fields(v)
	case reflect.Slice:
		return a.list(v, place)
	case reflect.String:
		return reflect.ValueOf(a.replace(v.String(), v.Type(), place)).Convert(v.Type())
	}
	return v
}

func (a *Anonymizer) list(v reflect.Value, place string) reflect.Value {
	if v.IsNil() {
		return v
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return reflect.ValueOf([]byte(a.text(string(v.Bytes())))).Convert(v.Type())
	}
	out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		out.Index(i).Set(a.value(v.Index(i), place))
	}
	return out
}

func (a *Anonymizer) fields(v reflect.Value) reflect.Value {
	switch known := v.Interface().(type) {
	case time.Time:
		return v
	case session.Entry:
		return reflect.ValueOf(a.entry(known))
	case session.TLS:
		return reflect.ValueOf(a.tls(known))
	}
	return a.each(v)
}

// each copies a struct field by field.
func (a *Anonymizer) each(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	for i := range v.NumField() {
		out.Field(i).Set(a.value(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name))
	}
	return out
}

// replace is the rule of each place that holds a text: one that is not named
// here may hold anything.
func (a *Anonymizer) replace(text string, kind reflect.Type, place string) string {
	if text == "" || kind.Name() != "string" { // the named kinds are words of the program
		return text
	}
	switch place {
	case "Session.ID", "Session.Linked", "Session.Codes", "UpstreamLeg.Provider", "Message.Enhanced", "Message.Captured", "Recipient.Enhanced",
		"Finding.Cause", "Finding.Side", "Finding.Refs", "Finding.Rule", "Retry.Advice", "Direct.Cause",
		"Entry.Enhanced", "Lookup.Type", "Lookup.Rcode", "Dial.Family", "Fault.Op", "Fault.Errno",
		"TLS.Version", "TLS.Cipher", "TLS.Group", "TLS.Stapled", "Flight.From",
		"Hello.Versions", "Hello.Ciphers", "Hello.Groups", "Hello.Signatures", "Hello.JA4", "TCP.State",
		"Probe.Name", "Probe.Result", "Probe.Cause", "Found.Result", "Secret.Alphabet", "Secret.Prefix", "Secret.Blanks":
		return text
	case "AppLeg.Helo", "TLS.ServerName", "Hello.SNI", "Lookup.Name", "Lookup.CNAME", "Dial.Host":
		return a.named(text)
	case "AppLeg.Addr", "UpstreamLeg.Name", "UpstreamLeg.Addr", "Lookup.Server", "Lookup.Answers", "Dial.Addr", "Dial.Local", "Probe.Target":
		return a.endpoint(text)
	case "Auth.Username", "Auth.Authzid", "Message.From", "Recipient.Addr":
		return a.address(text)
	case "Message.Subject":
		a.learnPhrase(text)
		return scan{Anonymizer: a, strict: true}.text(text)
	case "Message.MessageID":
		return scan{Anonymizer: a, strict: true}.text(text)
	case "Session.Route":
		return a.route(text)
	case "Finding.Title", "Finding.Explanation", "Finding.Fix", "Finding.RuledOut", "Finding.Changed", "Retry.Text", "Session.Edits", "Direct.Text", "Direct.Setting", "Probe.Setting":
		return a.ownText(text)
	}
	return scan{Anonymizer: a}.text(text)
}

// route leaves the name that a route has when nobody gave it one.
func (a *Anonymizer) route(text string) string {
	if text == "default" || a.common[text] {
		return text
	}
	a.learn(text)
	return a.name(text)
}

// named replaces a host that may stand in brackets or be no host at all.
func (a *Anonymizer) named(text string) string {
	if strings.HasPrefix(text, "[") {
		return a.domain(text)
	}
	if name, ok := strings.CutPrefix(text, "*."); ok {
		return "*." + a.host(name)
	}
	if strings.ContainsAny(text, " \t@<>") {
		return scan{Anonymizer: a, strict: true}.text(text)
	}
	return a.host(text)
}

// endpoint replaces a host or an address with a port, or without.
func (a *Anonymizer) endpoint(text string) string {
	host, port := hostPort(text)
	if strings.HasPrefix(host, "[") {
		return a.domain(host) + port
	}
	return a.named(host) + port
}

// port is what may follow a host; an IPv6 address has none without brackets.
var port = regexp.MustCompile(`^(\[[^\]]*\]|[^:]*)(:\d{1,5})$`)

// hostPort leaves the colon with the port.
func hostPort(text string) (host, colon string) {
	if m := port.FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return text, ""
}
