package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Scenario is one thing that a [Demo] shows: an upstream for the relay, and an
// app that sends through it.
type Scenario struct {
	Title string // what happens, in a few words
	Cause string // what the relay should find; empty when nothing is wrong
	Route string // a short name, unique among the scenarios

	Upstream string // host:port, as --upstream takes it
	Relay    RelaySettings
	App      App // its Addr is the relay's, which the caller knows
	Sends    int
}

// Run sends what the scenario has to send through the relay at addr. Refusals
// and broken conversations are what it is there for, and no errors; only the
// end of ctx is.
func (s Scenario) Run(ctx context.Context, addr string) error {
	app := s.App
	app.Addr = addr
	for range s.Sends {
		_, _ = app.Send(ctx)
	}
	return ctx.Err()
}

// Demo is a set of smarthosts, good and bad, with the apps that meet them.
type Demo struct {
	Resolver  string // ip:port of the name server that knows every upstream
	Roots     []byte // PEM of all authorities to be trusted
	Scenarios []Scenario

	closers []func() error
}

// demoFault names a fault for the demo and the host that plays it.
type demoFault struct{ title, fault, persona, host string }

// demoFaults is what a demo shows behind the first delivery, in order. None of
// them waits for a time-out.
func demoFaults() []demoFault {
	return []demoFault{
		{"nothing listens on the port", "connect.refused", "", "down.example.com"},
		{"the host name is misspelt", "connect.dns-no-such-host", "", "smtp.gmial.com"},
		{"a web server answers", "connect.not-smtp", "", "www.example.com"},
		{"the certificate has expired", "tls.certificate-expired", "", "expired.example.com"},
		{"the certificate is for another name", "tls.certificate-name-mismatch", "", "alias.example.com"},
		{"the password is wrong", "auth.bad-credentials", "", "mail.example.com"},
		{"Gmail wants an app password", "auth.app-password-required", "gmail", ""},
		{"SES has not verified the sender", "sender.not-verified", "ses", ""},
		{"the smarthost does not relay for us", "relay.denied", "", "relay.example.com"},
		{"the recipient does not exist", "recipient.unknown", "", "mx.example.net"},
		{"first contact is greylisted", "recipient.greylisted", "", "greylisting.example.net"},
		{"the third message is one too many", "rate.messages", "", "slow.example.com"},
		{"the smarthost hangs up in the middle", "upstream.closed", "", "flaky.example.com"},
	}
}

// NewDemo starts the smarthosts of all scenarios. They serve until Close.
func NewDemo() (*Demo, error) {
	d := &Demo{}
	if err := d.start(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Demo) start() error {
	names, err := NewDNS()
	if err != nil {
		return err
	}
	d.closers = append(d.closers, names.Close)
	d.Resolver = names.Addr()
	if err := d.delivered(names); err != nil {
		return err
	}
	for _, df := range demoFaults() {
		f, err := StartFault(df.fault, FaultOptions{Persona: df.persona, Host: df.host, DNS: names})
		if err != nil {
			return err
		}
		d.closers = append(d.closers, f.Close)
		d.add(df.title, f)
	}
	return nil
}

// delivered adds the scenario in which all is well.
func (d *Demo) delivered(names *DNS) error {
	f := &Fault{Sends: 1, names: names}
	err := f.serve(SmarthostOptions{Host: "smtp.example.com"})
	d.closers = append(d.closers, f.Close)
	if err != nil {
		return fmt.Errorf("start the healthy smarthost: %w", err)
	}
	f.App = App{User: "app@example.com", Password: "demo-password"}
	d.add("a message is delivered", f)
	return nil
}

func (d *Demo) add(title string, f *Fault) {
	route := f.Cause
	if route == "" {
		route = "delivered"
	}
	d.Roots = bytes.Join([][]byte{d.Roots, f.Roots}, nil)
	d.Scenarios = append(d.Scenarios, Scenario{
		Title: title, Cause: f.Cause, Route: route,
		Upstream: f.Upstream, Relay: f.Relay, App: f.App, Sends: f.Sends,
	})
}

// Close ends all smarthosts, and waits for them.
func (d *Demo) Close() error {
	var all []error
	for _, end := range slices.Backward(d.closers) {
		all = append(all, end())
	}
	d.closers = nil
	return errors.Join(all...)
}
