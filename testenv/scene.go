package testenv

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"smtp-proxy/proxy/session"
)

// Scene is how one cause of the catalogue is shown: what the smarthost says
// instead of its usual words, how the relay must be set up, and what the app
// has to do. Scenes stand in the files of the personas whose words they are,
// and in faults/ where the words do not matter; a new scene is some lines more
// in one of them, a new family a new file.
type Scene struct {
	ID      string        `toml:"id"` // a cause, or a cause and a variant: connect.not-smtp/ssh
	Persona string        `toml:"persona"`
	Phase   session.Phase `toml:"phase"` // when the answer is given; empty when there is none
	Answer

	EHLO     []string `toml:"ehlo"` // keywords instead of the persona's
	NoTLS    bool     `toml:"no-tls"`
	Implicit bool     `toml:"implicit"`
	Breach   Breach   `toml:"breach"` // of the smarthost's handshake

	App   AppNeeds      `toml:"app"`
	Relay RelaySettings `toml:"relay"`
}

// AppNeeds is what an app must do to meet a scene; what is empty does not
// matter.
type AppNeeds struct {
	User      string   `toml:"user"` // signs in as
	Password  string   `toml:"password"`
	Mechanism string   `toml:"mechanism"`
	From      string   `toml:"from"`
	To        string   `toml:"to"` // joined by commas
	Params    string   `toml:"params"`
	Helo      string   `toml:"helo"`
	TLS       AppTLS   `toml:"tls"`
	OldTLS    bool     `toml:"old-tls"`       // offers nothing above TLS 1.1
	NoRoots   bool     `toml:"trusts-nobody"` // and so refuses every certificate
	Breach    Breach   `toml:"breach"`        // of the app's handshake
	Script    string   `toml:"script"`        // said instead of a session
	Patience  duration `toml:"patience"`      // before it leaves without a word
	Sends     int      `toml:"sends"`         // sessions until the cause shows; 0 for 1
}

// RelaySettings are the settings of the relay that a scene needs, named as its
// flags are; what is empty stays as it is.
type RelaySettings struct {
	UpstreamTLS      string   `toml:"upstream-tls"`
	AppTLS           string   `toml:"app-tls"`
	AppTimeout       duration `toml:"app-timeout"`
	HandshakeTimeout duration `toml:"handshake-timeout"`
	ConnectTimeout   duration `toml:"connect-timeout"`
}

// Cause returns the scene's cause, without the variant.
func (s Scene) Cause() string {
	cause, _, _ := strings.Cut(s.ID, "/")
	return cause
}

func (s Scene) validate() error {
	cause := s.Cause()
	family, name, ok := strings.Cut(cause, ".")
	if !ok || family == "" || name == "" {
		return fmt.Errorf("id = %q: want a cause such as recipient.unknown", s.ID)
	}
	if s.Phase == "" && s.Answer != (Answer{}) {
		return fmt.Errorf("%s: an answer without a phase", s.ID)
	}
	if err := errors.Join(s.Breach.validate(), s.App.Breach.validate()); err != nil {
		return fmt.Errorf("%s: %w", s.ID, err)
	}
	if _, err := ParseScript(s.App.Script); err != nil {
		return fmt.Errorf("%s: %w", s.ID, err)
	}
	if err := s.Answer.validate(); err != nil {
		return fmt.Errorf("%s: %w", s.ID, err)
	}
	return nil
}

// app returns the app that meets the scene. Its address, and its trust in the
// relay's certificate, are still to be filled in.
func (s Scene) app() App {
	n := s.App
	a := App{
		Helo: n.Helo, TLS: n.TLS, Mechanism: n.Mechanism, User: n.User, Password: n.Password,
		From: n.From, Params: n.Params, Breach: n.Breach, Patience: time.Duration(n.Patience),
		Script: strings.ReplaceAll(n.Script, "{long}", strings.Repeat("x", 20000)),
	}
	if n.To != "" {
		a.To = strings.Split(n.To, ",")
	}
	return a
}

//go:embed faults/*.toml
var faultFiles embed.FS

// Scenes returns all scenes: those that are nobody's words, then those of
// postfix, then those of the other personas.
func Scenes() ([]Scene, error) {
	all, err := commonScenes()
	if err != nil {
		return nil, err
	}
	for _, name := range preferred(Personas()) {
		p, err := LoadPersona(name)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Scenes...)
	}
	return all, nil
}

// preferred puts postfix first: what most servers say is most like it.
func preferred(names []string) []string {
	names = slices.DeleteFunc(names, func(n string) bool { return n == defaultPersona })
	return slices.Insert(names, 0, defaultPersona)
}

func commonScenes() ([]Scene, error) {
	files, _ := fs.Glob(faultFiles, "faults/*.toml")
	var all []Scene
	for _, name := range files {
		var file struct {
			Scenes []Scene `toml:"cause"`
		}
		meta, err := toml.DecodeFS(faultFiles, name, &file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		if extra := meta.Undecoded(); len(extra) > 0 {
			return nil, fmt.Errorf("%s: unknown key %s", path.Base(name), extra[0])
		}
		for i := range file.Scenes {
			if err := file.Scenes[i].validate(); err != nil {
				return nil, fmt.Errorf("%s: %w", path.Base(name), err)
			}
			if file.Scenes[i].Persona == "" {
				file.Scenes[i].Persona = defaultPersona
			}
		}
		all = append(all, file.Scenes...)
	}
	return all, nil
}
