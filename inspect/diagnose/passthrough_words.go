package diagnose

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// flights returns who sent how much in the handshake, in turn.
func (x through) flights() []session.Flight {
	if f := x.app.TLS.Flights; len(f) > 0 {
		return f
	}
	return x.upstream.TLS.Flights
}

// hailed reports whether the app sent anything of a handshake.
func (x through) hailed() bool {
	return x.app.TLS.Hello != nil || len(x.flights()) > 0
}

// answered reports whether the upstream sent anything of a handshake.
func (x through) answered() bool {
	for _, f := range x.flights() {
		if f.From == session.Upstream.String() {
			return true
		}
	}
	return x.upstream.TLS.Version != "" || len(x.upstream.TLS.Chain) > 0
}

func (x through) lastFrom() string {
	if f := x.flights(); len(f) > 0 {
		return f[len(f)-1].From
	}
	return ""
}

// waited tells how long nothing had come when the handshake ended.
func (x through) waited(e *session.Entry) time.Duration {
	if e.Silent != nil {
		return min(e.Silent.App, e.Silent.Upstream)
	}
	f := x.flights()
	if took := max(x.app.TLS.Duration, x.upstream.TLS.Duration); took > 0 && len(f) > 0 {
		return took - f[len(f)-1].At
	}
	return x.handshakeLasted(e)
}

// story tells the handshake in a sentence without an end, as sizes and times:
// they are all that TLS 1.3 lets anybody on the way see.
func (x through) story() string {
	var parts []string
	for i, f := range x.flights() {
		if i == maxStory {
			parts = append(parts, "and so on")
			break
		}
		who, at := "the app", ""
		if f.From == session.Upstream.String() {
			who = "{host}"
		}
		if i > 0 {
			at = " after " + briefly(f.At)
		}
		parts = append(parts, fmt.Sprintf("%s sent %s%s", who, octets(f.Bytes), at))
	}
	if len(parts) == 0 {
		return "nothing of the handshake had come"
	}
	return strings.Join(parts, ", ")
}

// maxStory is how many flights are told of; a handshake has four or five.
const maxStory = 6

// values are the placeholders that the handshake fills in.
func (x through) values(e *session.Entry) map[string]string {
	v := map[string]string{"detail": e.Text}
	if f := e.Fault; f != nil {
		v["detail"] = f.Text
		if f.Class == session.FaultAlert && !strings.Contains(f.Text, fmt.Sprint(f.Alert)) {
			v["detail"] = strings.TrimSpace(fmt.Sprintf("%s, alert %d", f.Text, f.Alert))
		}
	}
	if h := x.app.TLS.Hello; h != nil && len(h.Versions) > 0 {
		v["version"] = strings.Join(h.Versions, ", ")
	}
	return v
}

func octets(n int64) string {
	if n == 1 {
		return "1 octet"
	}
	return fmt.Sprintf("%d octets", n)
}

// briefly writes a time in the unit that it is of.
func briefly(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
