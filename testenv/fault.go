package testenv

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// Fault is a smarthost, a name server or an empty port that shows one cause of
// the catalogue to a relay that is set up as it says.
type Fault struct {
	Name  string // the cause, with its variant if it has one
	Cause string

	Upstream string        // host:port, as --upstream takes it
	Resolver string        // ip:port, as --resolver takes it; it knows the upstream's name
	Roots    []byte        // PEM for --upstream-ca; nil when nothing needs to be trusted
	Relay    RelaySettings // further settings that the cause needs
	App      App           // what the app does; Addr, and Config where it trusts, are the caller's
	Sends    int           // how many sessions it takes until the cause shows

	Smarthost *Smarthost // nil when there is none

	closers []func() error
}

// FaultOptions says where a fault is to be. The zero value is a free port of
// 127.0.0.1 and whichever persona shows the cause best.
type FaultOptions struct {
	Addr    string // ip:port; empty for a free port of 127.0.0.1
	Persona string // in whose words; empty for the first that has some
	Host    string // what the upstream is called; empty for the persona's own host
	Version uint16 // the one TLS version that it speaks, as tls.VersionTLS12; 0 for what the fault needs
	Breach  Breach // of the smarthost's handshake, instead of the fault's own
}

// starter builds up a fault that is already filled with what its scene says.
type starter func(f *Fault, o FaultOptions) error

// builtFaults returns the faults that need more than words: name -> starter.
// Each family is a file.
func builtFaults() map[string]starter {
	all := make(map[string]starter)
	for _, family := range []map[string]starter{dialFaults(), backlogFaults(), dnsFaults(), certificateFaults(), interceptionFaults(), handshakeFaults()} {
		maps.Copy(all, family)
	}
	return all
}

// Faults returns the names of all faults, sorted: causes, some with variants
// behind a slash.
func Faults() ([]string, error) {
	scenes, err := Scenes()
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(builtFaults()))
	for _, s := range scenes {
		names = append(names, s.ID)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// StartFault starts the fault of that name. Close ends it.
func StartFault(name string, o FaultOptions) (*Fault, error) {
	cause, _, _ := strings.Cut(name, "/")
	f := &Fault{Name: name, Cause: cause, Sends: 1}
	err := f.start(o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("provoke %s: %w", name, err)
	}
	return f, nil
}

func (f *Fault) start(o FaultOptions) error {
	if build, ok := builtFaults()[f.Name]; ok && o.Persona == "" {
		return build(f, o)
	}
	scene, err := findScene(f.Name, o.Persona)
	if err != nil {
		return err
	}
	f.Relay, f.App, f.Sends = scene.Relay, scene.app(), max(1, scene.App.Sends)
	f.App.Config = scene.appTLS()
	return f.serve(scene.smarthost(o))
}

func findScene(name, persona string) (Scene, error) {
	all, err := Scenes()
	if err != nil {
		return Scene{}, err
	}
	for _, s := range all {
		if s.ID == name && (persona == "" || s.Persona == persona) {
			return s, nil
		}
	}
	if persona != "" {
		return Scene{}, fmt.Errorf("the persona %q does not show it", persona)
	}
	return Scene{}, errors.New("no such fault; see the list of faults")
}

func (s Scene) smarthost(o FaultOptions) SmarthostOptions {
	opts := SmarthostOptions{
		Addr: o.Addr, Persona: s.Persona, Host: o.Host, NoTLS: s.NoTLS, Implicit: s.Implicit,
		EHLO: s.EHLO, Version: o.Version, Breach: cmp.Or(o.Breach, s.Breach),
	}
	if s.Phase != "" {
		opts.Answers = map[session.Phase]Answer{s.Phase: s.Answer}
	}
	return opts
}

// appTLS returns the app's TLS settings when the scene is about them, and nil
// when any that trust the relay will do.
func (s Scene) appTLS() *tls.Config {
	switch {
	case s.App.NoRoots:
		return &tls.Config{RootCAs: x509.NewCertPool()}
	case s.App.OldTLS:
		// Any root will do: the handshake ends before a certificate is seen.
		return &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	}
	return nil
}

// serve starts the smarthost of the fault under its persona's name.
func (f *Fault) serve(opts SmarthostOptions) error {
	s, err := NewSmarthost(opts)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, s.Close)
	f.Smarthost, f.Roots = s, s.Roots()
	return f.name(s.Host(), s.Addr())
}

// host returns the upstream's name: the one that was asked for, or another.
func (o FaultOptions) host(other string) string {
	if o.Host != "" {
		return o.Host
	}
	return other
}

// name makes the address known under a host name, by a name server of the
// fault's own.
func (f *Fault) name(host, addr string) error {
	ip, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	d, err := f.dns()
	if err != nil {
		return err
	}
	if net.ParseIP(ip).To4() != nil {
		d.A(host, ip)
	} else {
		d.AAAA(host, ip)
	}
	f.Upstream = net.JoinHostPort(host, port)
	return nil
}

// dns starts the fault's name server.
func (f *Fault) dns() (*DNS, error) {
	d, err := NewDNS()
	if err != nil {
		return nil, err
	}
	f.closers = append(f.closers, d.Close)
	f.Resolver = d.Addr()
	return d, nil
}

// Close ends the fault and everything that it started, last first.
func (f *Fault) Close() error {
	var all []error
	for _, end := range slices.Backward(f.closers) {
		all = append(all, end())
	}
	f.closers = nil
	return errors.Join(all...)
}
