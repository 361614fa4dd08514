package proxy_test

import (
	"testing"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// annotator answers from the last reply of the history.
type annotator func(*session.Entry) string

func (a annotator) Annotate(_ *session.Info, history []*session.Entry) string {
	return a(history[len(history)-1])
}

func TestAnnotatesFailingReplies(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tests := []struct {
		name, reply, want string
		annotate          annotator
		edits             bool
	}{
		{"with the cause", "550 5.1.1 no", "550-5.1.1 no\r\n550 5.1.1 recipient.unknown\r\n", func(e *session.Entry) string {
			if e.Code != 550 {
				return "the reply is not the last entry"
			}
			return "recipient.unknown"
		}, true},
		{"nothing to say", "550 5.1.1 no", "550 5.1.1 no\r\n", func(*session.Entry) string { return "" }, false},
		{"not in time", "550 5.1.1 no", "550 5.1.1 no\r\n", func(*session.Entry) string { <-release; return "late" }, false},
		{"a bug", "550 5.1.1 no", "550 5.1.1 no\r\n", func(*session.Entry) string { panic("a bug") }, false},
		{"no failure", "250 ok", "250 ok\r\n", func(*session.Entry) string { return "never asked" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			up := tape(t, "<- 220 mx ready\n-> RCPT*\n<- "+tt.reply+"\n-> QUIT\n<- 221 bye\n! close", testenv.TapeOptions{})
			r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].Annotator = tt.annotate })
			a := dial(t, r.addr)
			a.hear("220 mx ready\r\n")
			a.say("RCPT TO:<b@y>\r\n")
			a.hear(tt.want)
			a.say("QUIT\r\n")
			a.hear("221 bye\r\n")
			a.hearEnd()
			history := r.wait()
			if e := find(history, func(e *session.Entry) bool { return e.Edit }); (e != nil) != tt.edits {
				t.Errorf("edits: %v, want %v\n%s", e != nil, tt.edits, transcript(history))
			}
		})
	}
}

// TestAnnotatesWhatTheProxySays checks that the proxy's own refusals get their
// cause as well.
func TestAnnotatesWhatTheProxySays(t *testing.T) {
	r := start(t, "127.0.0.1:1", func(o *proxy.Options, _ *upstream.Options) {
		o.Routes[0].Annotator = annotator(func(*session.Entry) string { return "connect.refused" })
	})
	a := dial(t, r.addr)
	a.hearLine("421-4.4.1 smtp-proxy: connect to 127.0.0.1:1")
	a.hear("421 4.4.1 connect.refused\r\n")
	a.hearEnd()
	r.wait()
}
