package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
	"smtp-proxy/upstream/replay"
)

// repetition is what the flags of replay ask for.
type repetition struct {
	config  policy.Config // what run has, too: the upstream, its TLS, roots, resolver
	chosen  bool          // --upstream is this command's own, and not run's from a shared file
	secrets secretFiles
	user    string
	asJSON  bool
	unkept  bool            // --no-record
	typed   map[string]bool // flags of the command line itself
	rules   *rules.Set      // nil has them loaded

	what replayed
	many series
}

// ReplayCommand sends recorded sessions again.
func (p *program) ReplayCommand() *cobra.Command {
	r, serve := newRepetition(), serving{}
	cmd := &cobra.Command{
		Use:   "replay ID|FILE | --filter FILTER",
		Short: "send a recorded session again and compare reply by reply",
		Long:  replayHelp,
		Example: `  smtp-proxy replay latest-failed
  smtp-proxy replay latest-failed --to you@example.com
  smtp-proxy replay 01JD8Z --upstream sandbox
  smtp-proxy replay 01JD8Z --user me@example.com --password-file pw --json
  smtp-proxy replay --filter 'cause:recipient.greylisted since:2h'
  smtp-proxy replay 01JD8Z --serve`,
		// The environment and the file are read behind the arguments: here a flag
		// is changed only where somebody typed it.
		Args: func(cmd *cobra.Command, args []string) error {
			r.typed = typedFlags(cmd.Flags())
			return arguments(0, 1, "")(cmd, args)
		},
		ValidArgs: []string{"latest", "latest-failed"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := serve.checkTyped(r.typed); err != nil {
				return err
			}
			if serve.wanted {
				return p.serveRecording(cmd.Context(), &serve, args)
			}
			r.keepOwn(func(flag string) bool { return r.typed[flag] || p.ownSetting("replay", flag) })
			if err := r.ready(p, args); err != nil {
				return err
			}
			if len(args) == 1 {
				return p.replayOne(cmd.Context(), r, args[0])
			}
			return p.replayMany(cmd.Context(), r)
		},
	}
	replayFlags(cmd.Flags(), r)
	servingFlags(cmd.Flags(), &serve)
	completeReplay(cmd)
	return cmd
}

const replayHelp = `Play the app's part of a recorded session again, through a relay of this
command's own, and show what was answered then beside what is answered now.
ID may be shortened to any unique prefix; latest and latest-failed name the
newest ones, and a file is a capture that export has written. The comparison is
recorded as a session of its own, which names the first.

Nothing is delivered unless --to or --deliver is given: RSET goes out where the
message would begin. It goes to the recorded upstream unless --upstream is given.
The record holds no passwords: a session that signed in does so again with
--user and --password-file, and is played without otherwise. Beyond this machine
they go to another smarthost under TLS only, unless --upstream-tls says otherwise,
and to that of a file only where --upstream names it.

With --filter all sessions that match are played, oldest first; those that
repeat others are left out.

` + servingHelp + `

It exits with 0 when all was answered as recorded (a refusal that is repeated
included), with 1 on a difference, and when it did not get as far as the
recording with the number of the phase: 2 connect, 21 greeting, 22 EHLO,
23 MAIL, 24 RCPT, 25 DATA, 26 after the data, 28 AUTH, 29 TLS; 64 for wrong
usage, 130 when it was interrupted.

` + filterHelp

// keepOwn leaves what decides about mail to this command's own settings. A file
// may have --to for check, where it delivers nothing, and --deliver for export.
func (r *repetition) keepOwn(own func(flag string) bool) {
	r.chosen = own("upstream")
	if !own("to") {
		r.what.to = nil
	}
	r.what.deliver = r.what.deliver && own("deliver")
}

// typedFlags are the flags of a command line.
func typedFlags(f *pflag.FlagSet) map[string]bool {
	typed := map[string]bool{}
	f.Visit(func(f *pflag.Flag) { typed[f.Name] = true })
	return typed
}

// ownSetting reports whether a flag that run has too was set for a command
// alone: by its variable, or in its own table of the file.
func (p *program) ownSetting(command, flag string) bool {
	if _, ok := p.lookup(flag); ok {
		return true
	}
	all, _ := p.file.Value("", flag)
	own, ok := p.file.Value(command, flag)
	return ok && own != all
}

// replayOne plays one session.
func (p *program) replayOne(ctx context.Context, r *repetition, id string) error {
	found, err := p.findOriginal(ctx, id)
	if err != nil {
		return err
	}
	defer found.close()
	if err := r.checkTrust(found.session, id); err != nil {
		return err
	}
	x, err := p.newReplayer(r)
	if err != nil {
		return err
	}
	defer x.close()
	ready, err := x.prepare(found)
	switch {
	case errors.Is(err, replay.ErrNoBody):
		return fmt.Errorf("session %s: %w; without --to and --deliver it is played up to there", found.session.ID, err)
	case err != nil:
		return fmt.Errorf("session %s cannot be played again: %w", found.session.ID, err)
	}
	seen, err := x.play(ctx, ready)
	if err != nil {
		return fmt.Errorf("replay of %s: %w", found.session.ID, err)
	}
	if !namedBy(found.session.ID, id) { // it is in a file
		seen.again = id
	}
	kept := x.keep(ctx, seen)
	return errors.Join(x.show(seen), kept, seen.code(ctx).orNil())
}

// findOriginal is find, but behind latest and latest-failed: the newest session
// is often the replay of what is to be tried once more, and that one has no
// message and no sign-in.
func (p *program) findOriginal(ctx context.Context, id string) (*recorded, error) {
	found, err := p.find(ctx, id)
	if err != nil || id != "latest" && id != "latest-failed" {
		return found, err
	}
	for range mostRepeats {
		first := found.session.Linked
		if first == "" {
			break
		}
		original, err := p.find(ctx, first)
		if err != nil { // it is gone
			break
		}
		fmt.Fprintf(p.stderr, "smtp-proxy: session %s repeats %s, which is played\n", found.session.ID, first)
		_ = found.close()
		found = original
	}
	return found, nil
}

// mostRepeats bounds how far sessions that repeat others are followed.
const mostRepeats = 100

// namedBy reports whether an argument finds a session in the record.
func namedBy(id, argument string) bool {
	return argument == "latest" || argument == "latest-failed" || strings.HasPrefix(id, argument)
}
