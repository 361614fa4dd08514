package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// webReplayer plays recorded sessions for the page, as replay does: to the
// smarthost of the record, to one that a route leads to, or to the sandbox. It
// has no credentials, and one session is played at a time.
type webReplayer struct {
	*plant
	turn   chan struct{} // holds one while a session is being played
	ending chan struct{} // closed when the plant ends
}

// How long a replay for the page may take. One that delivers is not cut off
// before a verdict can be in: it decides whether a mail went out.
const (
	webReplayTime   = time.Minute
	webDeliveryTime = 12 * time.Minute
)

func (x *plant) newWebReplayer() *webReplayer {
	return &webReplayer{plant: x, turn: make(chan struct{}, 1), ending: make(chan struct{})}
}

// Plan says what would be sent.
func (w *webReplayer) Plan(ctx context.Context, r web.ReplayRequest) (web.ReplayPlan, error) {
	x, ready, err := w.prepare(ctx, r)
	if err != nil {
		return web.ReplayPlan{}, err
	}
	defer x.close()
	s := ready.session
	out := web.ReplayPlan{
		Session: s.ID, Target: ready.place.target.Name, Sends: ready.script.Groups(), NotSent: ready.script.NotSent,
		Recipients: recipientsOf(s), Messages: deliverable(s), SignIn: strings.Join(x.notes(s), "; "), Command: w.command(x.r, s.ID),
	}
	if out.Recipients == nil {
		out.Recipients = []string{}
	}
	return out, nil
}

// Replay plays a session, and records the comparison beside the one who writes
// the record.
func (w *webReplayer) Replay(ctx context.Context, r web.ReplayRequest) (web.ReplayResult, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	default:
		return web.ReplayResult{}, web.ErrBusy
	}
	x, ready, err := w.prepare(ctx, r)
	if err != nil {
		return web.ReplayResult{}, err
	}
	defer x.close()
	ctx, cancel := w.bound(ctx, x.r.what)
	defer cancel()
	seen, err := x.play(ctx, ready)
	if err != nil {
		return web.ReplayResult{}, fmt.Errorf("replay of %s: %w", ready.session.ID, err)
	}
	kept := x.keep(ctx, seen)
	out := seen.object()
	out.Notes, out.Command = seen.noted, w.command(x.r, ready.session.ID)
	if kept != nil {
		why := cmp.Or(errors.Unwrap(kept), kept) // the words around it are of a flag
		out.Notes = append(out.Notes, "the comparison is not recorded: "+why.Error())
	}
	return out, nil
}

// bound is how long a session may be played. Whoever closes the page ends a
// dry run, and no delivery; the end of the plant ends both.
func (w *webReplayer) bound(ctx context.Context, what replayed) (context.Context, context.CancelFunc) {
	limit := webReplayTime
	if what.delivers() {
		limit, ctx = webDeliveryTime, context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-w.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-done
	}
}

// close ends a replay that is under way, and waits for it. None begins then.
func (w *webReplayer) close() {
	if w == nil {
		return
	}
	close(w.ending)
	w.turn <- struct{}{}
}

// prepare settles what is played, and where to. The replayer is to be closed.
func (w *webReplayer) prepare(ctx context.Context, r web.ReplayRequest) (*replayer, *prepared, error) {
	found, err := w.recordedIn(ctx, r.Session)
	if err != nil {
		return nil, nil, err
	}
	what, err := w.repetition(r)
	if err != nil {
		return nil, nil, asFields(err)
	}
	x, err := w.aside().newReplayer(what)
	if err != nil {
		return nil, nil, err
	}
	if w.sandbox != nil {
		x.sandbox = func() (*testenv.Sandbox, error) { return w.sandbox, nil }
	}
	ready, err := x.prepare(found)
	if err == nil {
		return x, ready, nil
	}
	if errors.Is(err, replay.ErrNoBody) {
		err = fmt.Errorf("%w; without delivery it is played up to there", err)
	}
	return nil, nil, errors.Join(fmt.Errorf("session %s cannot be played again: %w", found.session.ID, err), x.close())
}

// repetition words a request as the flags of replay.
func (w *webReplayer) repetition(r web.ReplayRequest) (*repetition, error) {
	out := newRepetition()
	out.rules = w.rules
	c := w.config
	out.config.Resolver, out.config.ConnectTimeout, out.config.HandshakeTimeout = c.Resolver, c.ConnectTimeout, c.HandshakeTimeout
	out.config.UpstreamCA, out.config.UpstreamInsecure = c.UpstreamCA, c.UpstreamInsecure
	out.what.to, out.what.deliver = r.To, r.Deliver
	if r.Upstream != "" {
		if err := w.aim(out, r.Upstream); err != nil {
			return nil, err
		}
	}
	return out, out.checkTo()
}

// aim sends a session elsewhere than it went: to where a route leads, or to the
// sandbox. What the page may be asked reaches no other.
func (w *webReplayer) aim(out *repetition, name string) error {
	if isSandbox(name) {
		out.config.Upstream, out.config.UpstreamCA = sandboxUpstream, ""
		return nil
	}
	for _, r := range w.config.All() {
		if r.Upstream != "" && r.Upstream == name {
			out.config.Upstream, out.config.UpstreamCA, out.config.UpstreamTLS = r.Upstream, r.UpstreamCA, string(mode(r))
			return nil
		}
	}
	return fmt.Errorf("no route leads to %s: choose one that does, or use the command line (smtp-proxy replay --upstream)", name)
}

// command is the replay that does the same.
func (w *webReplayer) command(r *repetition, id string) string {
	text := "smtp-proxy replay " + id + w.hints().dataFlag() + r.way()
	for _, to := range r.what.to {
		text += " --to " + shellWord(to)
	}
	if r.what.deliver {
		text += " --deliver"
	}
	return text
}

// recipientsOf names each recipient of a session once.
func recipientsOf(s *inspect.Session) (list []string) {
	seen := map[string]bool{}
	for _, m := range s.Messages {
		for _, to := range m.To {
			if !seen[to.Addr] {
				seen[to.Addr] = true
				list = append(list, to.Addr)
			}
		}
	}
	return slices.Clip(list)
}

// deliverable counts the messages that could be delivered.
func deliverable(s *inspect.Session) (n int) {
	for i := range s.Messages {
		one := inspect.Session{Messages: s.Messages[i : i+1]}
		if hasMessage(&one) {
			n++
		}
	}
	return n
}
