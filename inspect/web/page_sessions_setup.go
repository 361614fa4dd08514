package web

import (
	"net"
	"net/netip"
	"strings"
)

// settings is what the page says before the first session: what to put into
// the app, and how to try.
type settings struct {
	Routes []routeSettings
	Keeps  bool
	Data   string // flag that other commands need
}

type routeSettings struct {
	SetupRoute
	N     int    // of the route, 1 is the first
	Many  bool   // there are other routes
	Host  string // what can be copied as the host; empty when that is for the reader to know
	Rest  string // what is to be said behind it
	Tries []try
}

// try is a command that sends a message.
type try struct{ ID, Name, Command string }

// settings returns nil where nobody says how the app gets here.
func (s *Site) settings() *settings {
	if s.Setup == nil {
		return nil
	}
	setup := s.Setup()
	out := &settings{Keeps: setup.Keeps, Data: setup.Data}
	for i, r := range setup.Routes {
		x := routeSettings{SetupRoute: r, N: i + 1, Many: len(setup.Routes) > 1, Tries: triesOf(r)}
		x.Host, x.Rest = hostOf(r.Hosts)
		out.Routes = append(out.Routes, x)
	}
	return out
}

// hostOf takes the name or address that an app can be given out of the words
// for it: "localhost (127.0.0.1 or ::1)".
func hostOf(hosts []string) (host, rest string) {
	rest = strings.Join(hosts, " or ")
	first, _, _ := strings.Cut(rest, " ")
	name := strings.Trim(first, ",")
	if _, err := netip.ParseAddr(name); err != nil && name != "localhost" {
		return "", rest
	}
	return name, strings.TrimPrefix(rest, name)
}

// security is how the app secures its leg, told from the words for its TLS.
type security struct{ startTLS, implicit bool }

func securityOf(r SetupRoute) security {
	return security{startTLS: strings.HasPrefix(r.TLS, "STARTTLS"), implicit: strings.HasPrefix(r.TLS, "SSL/TLS")}
}

// triesOf writes commands that send a message through a route, each the way
// its program is run by most.
func triesOf(r SetupRoute) []try {
	if len(r.Addrs) == 0 {
		return nil
	}
	host := "127.0.0.1"
	if a := r.Addrs[0].Addr(); !a.IsUnspecified() {
		host = a.String()
	}
	at, by := net.JoinHostPort(host, r.Port), securityOf(r)
	return []try{
		{"swaks", "swaks", swaksTry(at, by)},
		{"curl", "curl", curlTry(at, by)},
		{"python", "Python", pythonTry(host, r.Port, by)},
	}
}

func swaksTry(at string, by security) string {
	tls := ""
	switch {
	case by.startTLS:
		tls = " --tls"
	case by.implicit:
		tls = " --tls-on-connect"
	}
	return "swaks --server " + at + tls + " --from you@example.com --to you@example.com"
}

func curlTry(at string, by security) string {
	scheme, tls := "smtp://", ""
	switch {
	case by.startTLS:
		tls = " --ssl-reqd --insecure"
	case by.implicit:
		scheme, tls = "smtps://", " --insecure"
	}
	return `printf 'Subject: hello\r\n\r\nhello\r\n' | curl --url ` + scheme + at + tls + " --mail-from you@example.com --mail-rcpt you@example.com --upload-file -"
}

func pythonTry(host, port string, by security) string {
	class, tls := "SMTP", ""
	switch {
	case by.startTLS:
		tls = "s.starttls(); "
	case by.implicit:
		class = "SMTP_SSL"
	}
	return `python3 -c 'import smtplib; s = smtplib.` + class + `("` + host + `", ` + port + `); ` + tls +
		`s.sendmail("you@example.com", ["you@example.com"], "Subject: hello\r\n\r\nhello")'`
}
