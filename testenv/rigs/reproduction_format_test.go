//go:build rigs

package rigs_test

import (
	"fmt"
	"regexp"
	"strings"
)

// reach is how far a session went, and what it met there: a reply's code, or a
// word for what came instead.
type reach struct{ stage, met string }

func (r reach) String() string { return r.stage + ": " + r.met }

// format is an export that can be run.
type format struct {
	name        string
	interpreter string
	ending      string // of the file's name
	read        func(exit int, out string) reach
}

func formats() []format {
	return []format{
		{"swaks", "sh", ".sh", swaksReach},
		{"curl", "sh", ".sh", curlReach},
		{"openssl", "sh", ".sh", toldReach},
		{"python", "python3", ".py", toldReach},
		{"node", "node", ".js", toldReach},
	}
}

var (
	recordedLine = regexp.MustCompile(`(?m)^\W*recorded ([A-Z]+): (\S*)`)
	reachedLine  = regexp.MustCompile(`(?m)^\W*reached ([A-Z]+): (\S*)`)
)

// promised is what the export says that the session met.
func promised(script string) reach { return toldIn(recordedLine, script) }

// toldReach reads the last line of the programs that are the export's own.
func toldReach(_ int, out string) reach { return toldIn(reachedLine, out) }

func toldIn(line *regexp.Regexp, text string) reach {
	all := line.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return reach{}
	}
	last := all[len(all)-1]
	return reach{last[1], strings.TrimSuffix(last[2], ":")}
}

// swaksReach reads the transcript, and the exit code where no reply tells.
func swaksReach(exit int, out string) reach {
	r := transcriptReach(out, marks{
		sent: regexp.MustCompile(`^ [-~]> (.*)$`),
		got:  regexp.MustCompile(`^<[-~*][ *] +(\d{3} .*)$`),
	})
	switch exit {
	case 2:
		return reach{"CONNECT", ""}
	case 6:
		r.met = "closed"
		if notReply.MatchString(out) {
			r.met = "not-smtp"
		}
	case 29:
		if r.stage != "TLS" || r.met == "220" {
			r = reach{"TLS", swaksTrouble(out)}
		}
	}
	return r
}

// notReply matches a line of the smarthost that does not begin with a code.
var notReply = regexp.MustCompile(`(?m)^<[-~*][ *] +[^ 2-5]`)

func swaksTrouble(out string) string {
	if strings.Contains(out, "certificate verify failed") {
		return "certificate"
	}
	return "tls"
}

// curlReach reads what -v shows, and the exit code where no reply tells. It
// shows nothing of what is no reply.
func curlReach(exit int, out string) reach {
	r := transcriptReach(out, marks{
		sent: regexp.MustCompile(`^> (.*)$`),
		got:  regexp.MustCompile(`^< (\d{3} .*)$`),
	})
	switch exit {
	case 7:
		return reach{"CONNECT", ""}
	case 35:
		return reach{"TLS", "tls"}
	case 60:
		return reach{"TLS", "certificate"}
	case 52, 56:
		r.met = "closed"
	}
	return r
}

// transcriptReach finds the last command before QUIT and its reply.
func transcriptReach(text string, m marks) reach {
	r := reach{stage: "GREETING"}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if s := m.sent.FindStringSubmatch(line); s != nil {
			if s[1] == "QUIT" {
				break
			}
			if stage := stageOf(s[1]); stage != "" {
				r = reach{stage: stage}
			}
		} else if s := m.got.FindStringSubmatch(line); s != nil {
			r.met = code(s[1])
			if r == (reach{"DATA", "354"}) {
				r = reach{stage: "DOT"}
			}
		}
	}
	return r
}

// stageOf is the stage that a command opens; empty for lines that go on with
// the one before.
func stageOf(command string) string {
	verb, _, _ := strings.Cut(strings.ToUpper(command), " ")
	return map[string]string{
		"EHLO": "HELO", "HELO": "HELO", "STARTTLS": "TLS", "AUTH": "AUTH",
		"MAIL": "MAIL", "RCPT": "RCPT", "DATA": "DATA",
	}[verb]
}

func (f format) String() string { return fmt.Sprintf("--format %s", f.name) }
