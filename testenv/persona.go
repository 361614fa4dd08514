package testenv

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"smtp-proxy/proxy/session"
)

// Persona is how one provider or mail server speaks: its greeting, its EHLO
// list, its usual replies, and what it says when it refuses. Each is a file in
// personas/, named after it; a new persona is a new file.
//
// In every text {host} stands for the persona's host name, {helo} for the
// app's name, {peer} for the app's address, {from} and {to} for the address of
// the command, {user} for who signs in, {id} for a queue id,
// {date} for the time by the server's clock.
type Persona struct {
	Name     string   `toml:"-"`
	Title    string   `toml:"title"`
	Source   []string `toml:"source"` // where the wording can be checked
	Host     string   `toml:"host"`
	Greeting string   `toml:"greeting"`
	Hello    string   `toml:"hello"`    // first line of the EHLO and HELO replies, without the code
	EHLO     []string `toml:"ehlo"`     // keywords in clear
	EHLOTLS  []string `toml:"ehlo-tls"` // keywords under TLS; the same less STARTTLS when absent

	Replies map[session.Phase]string `toml:"replies"`
	Scenes  []Scene                  `toml:"cause"` // how it shows causes of the catalogue
}

// defaultPersona speaks where nobody else is asked for.
const defaultPersona = "postfix"

//go:embed personas/*.toml
var personaFiles embed.FS

// usualReplies are given where a persona has none of its own.
func usualReplies() map[session.Phase]string {
	return map[session.Phase]string{
		session.PhaseTLS:  "220 2.0.0 Ready to start TLS",
		session.PhaseAuth: "235 2.7.0 Authentication successful",
		session.PhaseMail: "250 2.1.0 Ok",
		session.PhaseRcpt: "250 2.1.5 Ok",
		session.PhaseData: "354 End data with <CR><LF>.<CR><LF>",
		session.PhaseDot:  "250 2.0.0 Ok: queued as {id}",
		session.PhaseQuit: "221 2.0.0 Bye",
	}
}

// Personas returns the names of all personas, sorted.
func Personas() []string {
	files, _ := fs.Glob(personaFiles, "personas/*.toml")
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".toml"))
	}
	return names
}

// LoadPersona reads one persona. The error for an unknown name lists them all.
func LoadPersona(name string) (*Persona, error) {
	if !slices.Contains(Personas(), name) {
		return nil, fmt.Errorf("no persona %q; there are %s", name, strings.Join(Personas(), ", "))
	}
	p := &Persona{Name: name}
	meta, err := toml.DecodeFS(personaFiles, "personas/"+name+".toml", p)
	if err != nil {
		return nil, fmt.Errorf("persona %s: %w", name, err)
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return nil, fmt.Errorf("persona %s: unknown key %s", name, extra[0])
	}
	p.complete()
	return p, p.validate()
}

func (p *Persona) complete() {
	all := usualReplies()
	for phase, reply := range p.Replies {
		all[phase] = reply
	}
	all[session.PhaseGreeting] = p.Greeting
	p.Replies = all
	if p.Hello == "" {
		p.Hello = "{host}"
	}
	if p.EHLOTLS == nil {
		p.EHLOTLS = slices.DeleteFunc(slices.Clone(p.EHLO), func(k string) bool { return k == "STARTTLS" })
	}
}

func (p *Persona) validate() error {
	for phase, reply := range p.Replies {
		if err := validReply(reply); err != nil {
			return fmt.Errorf("persona %s: %s: %w", p.Name, phase, err)
		}
	}
	for i := range p.Scenes {
		if err := p.Scenes[i].validate(); err != nil {
			return fmt.Errorf("persona %s: %w", p.Name, err)
		}
		p.Scenes[i].Persona = p.Name
	}
	return nil
}
