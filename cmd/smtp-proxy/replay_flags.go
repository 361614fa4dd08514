package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"smtp-proxy/policy"
	"smtp-proxy/upstream"
)

// replayed is what is done with each session.
type replayed struct {
	to      []string
	deliver bool
	pace    string
	timeout time.Duration // for each reply; 0 depends on the recording
}

func newRepetition() *repetition {
	r := &repetition{config: policy.Defaults(), what: replayed{pace: paceFast}}
	r.config.UpstreamTLS = asRecorded
	r.many = series{parallel: 1}
	return r
}

const (
	asRecorded = "recorded" // --upstream-tls: what the recording shows
	paceFast   = "fast"
	paceReal   = "real"
)

// replayFlags ties the flags of replay to the fields of r. Those that run has
// too mean the same.
func replayFlags(f *pflag.FlagSet, r *repetition) {
	f.StringVar(&r.config.Upstream, "upstream", "", "another smarthost than the recorded one: `host:port`, a URL, or sandbox for an embedded one")
	f.StringVar(&r.config.UpstreamTLS, "upstream-tls", r.config.UpstreamTLS, "TLS to the smarthost: recorded (auto for another one), auto, starttls, implicit, none")
	f.StringVar(&r.config.UpstreamCA, "upstream-ca", "", "PEM `file` with further trusted roots")
	f.BoolVar(&r.config.UpstreamInsecure, "upstream-insecure", false, "go on even if the certificate fails verification")
	f.StringVar(&r.config.Resolver, "resolver", "", "`ip:port` of the DNS server for every look-up (default the system's)")
	f.Var(wait{&r.config.ConnectTimeout, false}, "connect-timeout", "all dials of a session together")
	f.Var(wait{&r.config.HandshakeTimeout, false}, "handshake-timeout", "one TLS handshake")
	f.Var(wait{&r.what.timeout, false}, "timeout", "one reply (default a minute more than the longest took in the recording; 10m at least where messages are delivered)")
	f.Lookup("timeout").DefValue = ""
	f.StringSliceVar(&r.what.to, "to", nil, "deliver the messages, to this `address` instead of the recorded recipients")
	f.BoolVar(&r.what.deliver, "deliver", false, "deliver the messages to the recorded recipients")
	f.StringVar(&r.what.pace, "pace", r.what.pace, "fast, or real: with the recorded pauses of the app")
	f.StringVar(&r.user, "user", "", "sign in as this `user` where the recording did")
	f.StringVar(&r.secrets.password, "password-file", "", "`file` with the password, or - for stdin")
	f.StringVar(&r.secrets.token, "token-file", "", "`file` with an OAuth access token instead, or - for stdin")
	f.BoolVar(&r.asJSON, "json", false, "one JSON object a line for each session")
	f.BoolVar(&r.unkept, "no-record", false, "do not record the comparison")
	f.StringVar(&r.many.filter, "filter", "", "play all sessions that this `filter` selects")
	f.StringVar(&r.many.after, "after", "", "with --filter: go on behind the session with this `id`")
	f.IntVar(&r.many.limit, "limit", 0, "with --filter: how many sessions at most (default all)")
	f.IntVar(&r.many.parallel, "parallel", r.many.parallel, "with --filter: sessions at once")
	f.Var(&r.many.rate, "rate", "with --filter: sessions begun in a time, such as 10/s, 100/m or none (default 5/s beyond this machine)")
	f.BoolVar(&r.many.sure, "yes", false, "with --filter: deliver them all, without --limit")
}

// completeReplay offers the shell what the flags take.
func completeReplay(cmd *cobra.Command) {
	for flag, values := range map[string][]string{
		"upstream-tls": {asRecorded, "auto", "starttls", "implicit", "none"},
		"pace":         {paceFast, paceReal},
	} {
		// The only error is a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// ready reports all mistakes in the flags together.
func (r *repetition) ready(p *program, args []string) error {
	if !r.chosen {
		r.config.Upstream = "" // what a file says for run is about the app's mail of today
	}
	mistakes := []error{r.checkWay(), r.checkTo(), r.checkSignIn(), r.many.check(args, r.what), r.checkOne()}
	if dir, err := p.dataDir(); err == nil && dir == "none" {
		r.unkept = true
	}
	return usage(errors.Join(mistakes...))
}

// checkOne refuses for one session what bounds many. What a file or the
// environment says of many is no mistake.
func (r *repetition) checkOne() error {
	for _, name := range []string{"after", "limit", "parallel", "rate", "yes"} {
		if r.many.filter == "" && r.typed[name] {
			return fmt.Errorf("--%s belongs to --filter: leave it out for one session", name)
		}
	}
	return nil
}

// checkWay refuses what is no way to a smarthost.
func (r *repetition) checkWay() error {
	var mistakes []error
	if r.what.pace != paceFast && r.what.pace != paceReal {
		mistakes = append(mistakes, fmt.Errorf("--pace %q is not known: choose fast or real", r.what.pace))
	}
	_, err := r.connector(nil)
	mistakes = append(mistakes, err)
	if mode := r.config.UpstreamTLS; mode != asRecorded {
		_, err := upstream.ParseMode(mode)
		mistakes = append(mistakes, err)
	}
	if where := r.config.Upstream; where != "" && !isSandbox(where) {
		_, err := upstream.ParseTarget(where, upstream.ModeAuto)
		mistakes = append(mistakes, err)
	}
	if r.config.UpstreamCA != "" {
		_, err := loadRoots(r.config.UpstreamCA)
		mistakes = append(mistakes, err)
	}
	return errors.Join(mistakes...)
}

// checkTo refuses addresses that would be more than one.
func (r *repetition) checkTo() error {
	var mistakes []error
	for i, to := range r.what.to {
		to = strings.TrimSuffix(strings.TrimPrefix(to, "<"), ">")
		r.what.to[i] = to
		switch {
		case strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '<' || c == '>' }):
			mistakes = append(mistakes, fmt.Errorf("--to %q holds a blank, a bracket or a control character: write it without", to))
		case !strings.Contains(to, "@"):
			mistakes = append(mistakes, fmt.Errorf("--to %q is no address: write it as you@example.com", to))
		}
	}
	if len(r.what.to) > 0 && r.what.deliver {
		mistakes = append(mistakes, errors.New("--to and --deliver: the recorded recipients or others, not both; leave one of them out"))
	}
	return errors.Join(mistakes...)
}

// delivers reports whether messages go out.
func (r replayed) delivers() bool { return r.deliver || len(r.to) > 0 }
