package probe

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// settings are what a search changes. Two that are equal are one trial.
type settings struct {
	target    upstream.Target
	name      string     // for EHLO; empty means this machine's
	mechanism string     // for AUTH; empty means the best on offer
	addr      netip.Addr // the one address to use; invalid means any
	resolver  string     // the DNS server to ask; empty means that of the check
	trusts    string     // what is trusted beyond the roots, in words; empty means nothing
}

// outcome is what became of settings.
type outcome struct {
	settings          // with the mode that the port turned out to speak
	began    settings // as they were tried

	stage   stage
	failed  string // the part that failed; empty when none did
	why     string
	code    int      // of the reply that failed it; 0 for none
	secure  bool     // the session came under TLS
	offered []string // mechanisms for AUTH
	entries []session.Entry
	advised string // what to change where that could not be tried, in words
	flags   []string
}

// good reports settings with which nothing is left to wish for.
func (o outcome) good(s *search) bool {
	if o.failed != "" || o.stage < stageEHLO || !s.fit(o) {
		return false
	}
	return s.want.Script.User == "" || s.usable(o) != ""
}

// beyond reports whether o is better than other.
func (o outcome) beyond(other outcome, s *search) bool {
	if o.good(s) != other.good(s) {
		return o.good(s)
	}
	return o.stage > other.stage
}

// hear takes a line of the ladder.
func (o *outcome) hear(l Line) {
	if l.Status == StatusFail && o.failed == "" {
		o.failed, o.why = l.Step, l.Text
	}
}

// round tries what the remedies propose for an outcome, a few at a time. What
// costs more than one that got through is not begun any more.
func (s *search) round(ctx context.Context, at outcome) {
	list := s.proposals(ctx, at)
	outcomes := make([]outcome, len(list))
	slots := make(chan struct{}, trialsOnce)
	var trials sync.WaitGroup
	var mu sync.Mutex
	through := false
	for i, next := range list {
		slots <- struct{}{}
		mu.Lock()
		enough := through || ctx.Err() != nil
		mu.Unlock()
		if enough {
			break
		}
		trials.Go(func() {
			defer func() { <-slots }()
			o := s.try(ctx, next)
			mu.Lock()
			defer mu.Unlock()
			outcomes[i], through = o, through || o.good(s)
		})
	}
	trials.Wait()
	for _, o := range outcomes {
		if o.began != (settings{}) {
			s.tried = append(s.tried, o)
		}
	}
}

// try holds a dialogue with the given settings, up to where it would sign in.
func (s *search) try(ctx context.Context, next settings) outcome {
	script := Script{Name: next.name}
	if s.want.Script.User == "" && s.base.failed == partMail {
		script.From = s.want.Script.From
	}
	return s.talk(ctx, next, script)
}

func (s *search) talk(ctx context.Context, next settings, script Script) outcome {
	o := outcome{settings: next, began: next}
	p, done, err := s.proberFor(next)
	if err != nil {
		o.failed, o.why = partConnect, err.Error()
		return o
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, trialWait)
	defer cancel()
	d := p.newDialogue(next.target, script)
	l := newLadder(d, o.hear)
	d.seen, d.turned = l.see, l.turn
	d.hold(ctx)
	l.end()
	o.entries = d.entries
	o.read()
	return o
}

// usable returns the mechanism by which the script could sign in; empty when
// none that is on offer takes its secret.
func (s *search) usable(o outcome) string {
	script := s.want.Script
	script.Mechanism = o.mechanism
	mechanism, side := newCaller(script, "").way(o.offered)
	if side == nil || !slices.Contains(o.offered, mechanism) {
		return ""
	}
	return mechanism
}

// maySignIn reports whether the one attempt may be made here: it is still to
// be had, the smarthost is the one that was named, and nobody reads along. A
// host that the search has thought of itself is not given the password, nor is
// one whose certificate nobody has vouched for.
func (s *search) maySignIn(o outcome) bool {
	return s.want.Script.User != "" && !s.spent() && o.good(s) && o.trusts == "" && o.target.Host == s.base.began.target.Host
}

// spent reports that a sign-in was begun, or may have been.
func (s *search) spent() bool {
	return len(s.want.Before.Dialogue) == 0 || slices.ContainsFunc(s.base.entries, func(e session.Entry) bool {
		return e.Kind == session.KindAuth || e.Verb == "AUTH"
	})
}

// signIn makes the one attempt, in place of the trial.
func (s *search) signIn(ctx context.Context, o outcome) outcome {
	script := s.want.Script
	script.Name, script.To, script.Deliver, script.Mechanism = o.began.name, "", false, s.usable(o)
	next := o.began
	next.target.Mode = o.target.Mode
	signed := s.talk(ctx, next, script)
	signed.began = o.began
	if i := slices.IndexFunc(s.tried, func(t outcome) bool { return t.began == o.began }); i >= 0 {
		s.tried[i] = signed
	}
	return signed
}
