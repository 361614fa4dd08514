package main

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

//go:embed reproduce/*.txt
var reproduceFiles embed.FS

// language is how a program is written. The dialogue is the same calls in
// each: connect, greeting, say, secret, answer, secure, data, chunk, end.
type language struct {
	file  string              // the program's part that is the same for all sessions
	mark  string              // begins a comment
	run   string              // the command that runs it
	text  func(string) string // a literal of text
	quote func(string) string // a literal of octets
	slice string              // cuts octets from a message: a format of name, from and to
	truth [2]string           // its false and true
	let   string              // binds a name to a value
}

// program writes the session as a program of its own.
func (r *reproduction) program(l language) (string, error) {
	calls, err := r.calls(l)
	if err != nil {
		return "", err
	}
	t, err := template.ParseFS(reproduceFiles, "reproduce/"+l.file)
	if err != nil {
		return "", err
	}
	head := append(r.head(), "", "Its last line says what is reached now. Run it as", "  "+l.run)
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Head": remarks(l.mark, head), "Host": l.text(r.host), "Port": l.text(r.port),
		"Seconds": int(r.patience.Seconds()), "Before": r.bindings(l), "Calls": calls,
	})
	return b.String(), err
}

// bindings reads what the program needs before it connects.
func (r *reproduction) bindings(l language) []string {
	var all []string
	for _, secret := range r.secrets() {
		all = append(all, fmt.Sprintf(l.let, local(secret), "secret("+strconv.Quote(secret)+")"))
	}
	for i, n := range r.numbers() {
		t := r.messages[n]
		value := l.quote(t.stand)
		if t.file != "" {
			value = fmt.Sprintf("file(%s, %s)", l.text(t.file), l.text(t.command+" "+t.file))
		}
		all = append(all, fmt.Sprintf(l.let, "message"+suffix(i), value))
	}
	return all
}

// local is the name within the program of what the environment calls
// SMTP_PASSWORD or SMTP_TOKEN.
func local(secret string) string { return strings.ToLower(strings.TrimPrefix(secret, "SMTP_")) }

func suffix(i int) string {
	if i == 0 {
		return ""
	}
	return strconv.Itoa(i + 1)
}

// calls is the dialogue.
func (r *reproduction) calls(l language) ([]string, error) {
	p := &player{reproduction: r, language: l, sent: map[int]int64{}}
	for i := range r.steps {
		last := i == len(r.steps)-1
		if s := &r.steps[i]; s.failed() && !last && s.fault == "" {
			p.call("tolerate")
		}
		if err := p.play(&r.steps[i]); err != nil {
			return nil, err
		}
	}
	switch goal := r.goal(); {
	case goal.phase == session.PhaseData || goal.verb == "DATA":
		p.call("drop")
	default:
		p.call("end")
	}
	return p.lines, nil
}

// player turns steps into calls.
type player struct {
	*reproduction
	language
	lines []string
	sent  map[int]int64 // octets of each message that went out in chunks
}

func (p *player) call(name string, arguments ...string) {
	p.lines = append(p.lines, name+"("+strings.Join(arguments, ", ")+")")
}

func (p *player) play(s *step) error {
	switch {
	case s.phase == session.PhaseConnect:
	case s.verb == "" && s.phase == session.PhaseGreeting:
		p.call("greeting")
	case s.verb == "" && s.phase == session.PhaseTLS:
		p.call("secure", p.text(p.sni), p.truth[boolIndex(p.verifies)])
	case s.verb == "AUTH":
		return p.authenticate(s)
	case s.verb == ".":
		p.call("data", p.named(s.message))
	case s.verb == "BDAT":
		p.chunk(s)
	default:
		p.call("say", p.text(s.stage()), p.quote(s.command))
	}
	return nil
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// named is the variable of a message.
func (p *player) named(message int) string {
	for i, n := range p.numbers() {
		if n == message {
			return "message" + suffix(i)
		}
	}
	return p.quote("")
}

// chunk sends a part of a message. One that was not kept goes in one piece,
// as its stand-in has another size.
func (p *player) chunk(s *step) {
	size, _, ok, _ := wire.Chunk(wire.ParseCommandText(s.command).Arg)
	if t := p.messages[s.message]; ok && t.file == "" {
		if from := p.sent[s.message]; from > 0 {
			p.call("chunk", p.text(s.stage()), p.quote("BDAT 0"+lastWord(s)), p.quote(""))
			return
		}
		p.sent[s.message] = 1
		p.call("chunk", p.text(s.stage()), p.quote("BDAT "+strconv.Itoa(len(t.stand))+lastWord(s)), p.named(s.message))
		return
	}
	from := p.sent[s.message]
	p.sent[s.message] = from + size
	p.call("chunk", p.text(s.stage()), p.quote(s.command), fmt.Sprintf(p.slice, p.named(s.message), from, from+size))
}

func lastWord(s *step) string {
	if _, last, _, _ := wire.Chunk(wire.ParseCommandText(s.command).Arg); last {
		return " LAST"
	}
	return ""
}
