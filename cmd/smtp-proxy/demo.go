package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// DemoCommand shows the whole product with nothing but itself.
func (p *program) DemoCommand() *cobra.Command {
	c := policy.Defaults()
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "the whole product in one command: a sandbox, the proxy, and an app that meets typical failures",
		Long: `Start a sandbox smarthost, the proxy before it, and an app that sends good mail
and meets typical failures, each annotated as it happens. Then serve on, for
an app of your own, until interrupted. Nothing leaves this machine; the record
is kept in a temporary directory and removed at the end.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), c) },
	}
	c.LogLevel = "error"
	logFlags(cmd.Flags(), &c)
	return cmd
}

func (p *program) demo(ctx context.Context, c policy.Config) error {
	dir, err := os.MkdirTemp("", "smtp-proxy-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p.data = dir
	c.Upstream, c.AppTLS, c.Routes = sandboxUpstream, "offer", nil
	c.Listen, c.HTTP = free(c.Listen), free(c.HTTP)
	d := &demo{out: newFollower(transcript{screen: p.onStdout(), now: p.now}), ended: make(chan ending, 100)}
	if d.plant, err = p.newPlant(c, d.take); err != nil {
		return err
	}
	if d.plant.store == nil {
		return errors.Join(fmt.Errorf("the demo needs a record in %s: %s", dir, strings.Join(d.plant.notReady(), "; ")), d.plant.close())
	}
	return errors.Join(d.run(ctx), d.plant.close())
}

// free returns addr, or a free port of the same host where it is taken.
func free(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return net.JoinHostPort(host, "0")
	}
	l.Close()
	return addr
}

// demo is a plant with an app that tells a story.
type demo struct {
	plant *plant
	out   *follower
	ended chan ending
	shown []string // causes, in order
}

// ending names a session that has ended; the record has the rest.
type ending struct{ id, route string }

// demoFaults are the failures that the demo shows: of each family one or two
// that people meet.
func demoFaults() []string {
	return []string{
		"connect.refused", "connect.dns-no-such-host",
		"tls.certificate-expired", "tls.certificate-name-mismatch",
		"auth.app-password-required", "sender.not-verified", "relay.denied",
		"recipient.unknown", "rate.quota-exceeded", "message.spam",
	}
}

// take receives each session that has ended. A demo that nobody looks at does
// not hold the record up.
func (d *demo) take(s *inspect.Session) {
	select {
	case d.ended <- ending{s.ID, s.Route}:
	default:
	}
}

func (d *demo) run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { d.tell(ctx) })
	err := d.plant.run(ctx)
	running.Wait()
	return err
}

// tell plays all scenes, then shows what an app of the owner's sends.
func (d *demo) tell(ctx context.Context) {
	if d.plant.keys != nil {
		d.say(keyLogWarning + ".")
	}
	d.say("An app sends a message through the proxy to the embedded sandbox.")
	if err := d.goodMail(ctx); err != nil {
		d.say("The app could not send: " + err.Error())
	}
	for _, name := range demoFaults() {
		if ctx.Err() != nil {
			return
		}
		d.say("Now " + name + ".")
		if err := d.fault(ctx, name); err != nil {
			d.say("This one could not be shown: " + err.Error())
		}
	}
	d.farewell()
	d.show(ctx, "", 0)
}

func (d *demo) say(text string) {
	t := d.out.view
	fmt.Fprintln(t.out, t.paint(bold, "# "+visible(text)))
}

// goodMail sends one message by the way that the owner's app will take.
func (d *demo) goodMail(ctx context.Context) error {
	addr := d.plant.hints().routes[0].addrs[0].String()
	_, err := testenv.App{Addr: addr, To: []string{"bob@example.net"}}.Send(ctx)
	d.show(ctx, "default", 1)
	return err
}

// sceneTime bounds one scene.
const sceneTime = 5 * time.Second

// fault starts a failing smarthost with a route to it, and lets the app meet
// it.
func (d *demo) fault(ctx context.Context, name string) error {
	f, err := testenv.StartFault(name, testenv.FaultOptions{})
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(ctx, sceneTime)
	defer cancel()
	g, err := d.plant.addFault(f)
	if err != nil {
		return err
	}
	defer g.close()
	var serving sync.WaitGroup
	serving.Go(func() { g.serve(ctx) })
	defer serving.Wait()
	defer cancel()
	app := f.App
	app.Addr = g.server.Addrs()[0].String()
	for range f.Sends {
		// What became of it is in the record, which is the point.
		_, _ = app.Send(ctx)
	}
	d.show(ctx, name, f.Sends)
	return nil
}

// show prints sessions of a route as they end: n of them, or all until ctx
// ends where n is 0. Those of other routes are printed too.
func (d *demo) show(ctx context.Context, route string, n int) {
	for seen := 0; n == 0 || seen < n; {
		select {
		case e := <-d.ended:
			if e.route == route {
				seen++
			}
			d.print(ctx, e.id)
		case <-ctx.Done():
			return
		}
	}
}

func (d *demo) print(ctx context.Context, id string) {
	s, err := d.plant.store.Session(ctx, id)
	if err != nil {
		d.say("The session " + id + " cannot be shown: " + err.Error())
		return
	}
	for _, f := range s.Findings {
		if !slices.Contains(d.shown, f.Cause) {
			d.shown = append(d.shown, f.Cause)
		}
	}
	d.out.take(s)
}

func (d *demo) farewell() {
	t := d.out.view
	d.say(fmt.Sprintf("That was %s: %s.", inspect.Count(len(d.shown), "cause"), strings.Join(d.shown, ", ")))
	d.say("The proxy and the sandbox serve on: try it with an app of your own. Ctrl-C ends.")
	h := d.plant.hints()
	h.routes = h.routes[:1]
	h.write(t.out)
}
