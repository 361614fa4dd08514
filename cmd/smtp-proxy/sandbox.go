package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// practice is what the flags of sandbox ask for.
type practice struct {
	listen, persona, cause, user, passwordFile, mailbox string
	requireAuth, requireTLS                             bool
	log                                                 policy.Config
	captured                                            learning
}

// SandboxCommand starts a smarthost to practise with.
func (p *program) SandboxCommand() *cobra.Command {
	o := practice{log: policy.Defaults()}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "a practice smarthost: takes mail, and provokes any cause on demand",
		Long: `Start a smarthost that takes mail for anybody and delivers it to nobody. Some
addresses provoke a refusal; --cause makes it fail in one way of the catalogue,
--persona lets it speak as a provider does, and --from-capture makes it of what
was recorded of a smarthost: who was refused stays refused, a mailbox that is
full stays full, a greylisted recipient is accepted after the recorded time. Of
several answers to the same the newest counts.`,
		Example: `  smtp-proxy sandbox
  smtp-proxy sandbox --cause tls.chain-incomplete
  smtp-proxy sandbox --persona gmail --listen localhost:2587
  smtp-proxy sandbox --from-capture 'upstream:smtp.example.com since:1d'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.practise(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "localhost:2525", "`host:port` of this machine where it takes mail")
	f.StringVar(&o.cause, "cause", "", "fail in this way: a `cause` of the catalogue; list names those that can be provoked")
	f.StringVar(&o.persona, "persona", "", "speak as this `provider` does: "+strings.Join(testenv.Personas(), ", "))
	f.StringVar(&o.user, "user", "", "the one `name` that may sign in (default anybody)")
	f.StringVar(&o.passwordFile, "password-file", "", "`file` with that user's password")
	f.BoolVar(&o.requireAuth, "require-auth", false, "no mail without AUTH")
	f.BoolVar(&o.requireTLS, "require-tls", false, "no mail and no AUTH in clear")
	f.StringVar(&o.mailbox, "mailbox", "", "keep each message as a file in this `directory`")
	captureFlags(f, &o.captured)
	logFlags(f, &o.log)
	complete := func(flag string, values func() []string) {
		// The only error is a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	complete("persona", testenv.Personas)
	complete("cause", func() []string { names, _ := testenv.Faults(); return names })
	return cmd
}

// practise runs the smarthost until ctx ends.
func (p *program) practise(ctx context.Context, o practice) error {
	if o.cause == "list" {
		return p.listFaults()
	}
	if o.captured.filter != "" {
		return p.practiseCaptured(ctx, o)
	}
	addr, err := o.addr()
	if err != nil {
		return err
	}
	log, logFile, err := p.logger(o.log)
	if err != nil {
		return err
	}
	defer logFile.Close()
	host, err := p.startPractice(o, addr, log)
	if err != nil {
		return err
	}
	defer host.Close()
	<-ctx.Done()
	return nil
}

// startPractice starts the kind of smarthost that the flags name, and says how
// to reach it.
func (p *program) startPractice(o practice, addr string, log zerolog.Logger) (io.Closer, error) {
	box, err := o.box(log)
	if err != nil {
		return nil, err
	}
	password, err := o.password()
	if err != nil {
		return nil, err
	}
	switch {
	case o.cause != "":
		return p.startFault(o, addr)
	case o.persona != "":
		s, err := testenv.NewSmarthost(testenv.SmarthostOptions{Addr: addr, Persona: o.persona, User: o.user, Password: password, Mailbox: box})
		if err != nil {
			return nil, usage(err)
		}
		return s, p.introduce(practiceHost{upstream: s.Addr(), roots: s.Roots()})
	}
	s, err := testenv.NewSandbox(testenv.SandboxOptions{
		Addr: addr, User: o.user, Password: password, RequireAuth: o.requireAuth, RequireTLS: o.requireTLS, Mailbox: box,
	})
	if err != nil {
		return nil, err
	}
	return s, p.introduce(practiceHost{upstream: s.Addr(), roots: s.Roots()})
}

func (p *program) startFault(o practice, addr string) (io.Closer, error) {
	f, err := testenv.StartFault(o.cause, testenv.FaultOptions{Addr: addr, Persona: o.persona})
	if err != nil {
		names, _ := testenv.Faults()
		if near := policy.Nearest(o.cause, names); near != "" && near != o.cause {
			return nil, usagef("%w: did you mean %q?", err, near)
		}
		return nil, usagef("%w: smtp-proxy sandbox --cause list names those that can be provoked", err)
	}
	return f, p.introduce(practiceHost{upstream: f.Upstream, roots: f.Roots, fault: f})
}

// addr returns where to listen: this machine only, whoever asks.
func (o practice) addr() (string, error) {
	host, port, err := net.SplitHostPort(o.listen)
	if err != nil || !policy.Loopback(o.listen) {
		return "", usagef("--listen %q: the sandbox serves this machine only: write it as localhost:2525", o.listen)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// box returns where messages go; each is a line in the log.
func (o practice) box(log zerolog.Logger) (*testenv.Mailbox, error) {
	if o.mailbox != "" {
		if err := os.MkdirAll(o.mailbox, 0o700); err != nil {
			return nil, fmt.Errorf("--mailbox: %w", err)
		}
	}
	return &testenv.Mailbox{Dir: o.mailbox, OnMessage: func(m testenv.Message) {
		log.Info().Str("id", m.ID).Str("from", m.From).Strs("to", m.To).Int("octets", len(m.Data)).Bool("tls", m.Secure).Msg("message")
	}}, nil
}

// password reads the file, less the line end that editors leave.
func (o practice) password() (string, error) {
	if (o.user == "") != (o.passwordFile == "") {
		return "", usagef("--user and --password-file belong together: give both, or neither to let everybody sign in")
	}
	if o.passwordFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(o.passwordFile)
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

func (p *program) listFaults() error {
	names, err := testenv.Faults()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, strings.Join(names, "\n"))
	return err
}

// trustFile writes the sandbox's root beside the record and returns its path;
// empty where nothing is kept.
func (p *program) trustFile(roots []byte) (string, error) {
	dir, err := p.dataDir()
	if err != nil || dir == "none" || roots == nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "sandbox-ca.pem")
	return path, os.WriteFile(path, roots, 0o600)
}
