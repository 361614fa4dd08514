package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
)

// explanation is what explain --json prints for one text.
type explanation struct {
	Reply    string            `json:"reply"`
	Findings []inspect.Finding `json:"findings"`
}

// ExplainCommand annotates replies and log lines that come from elsewhere.
func (p *program) ExplainCommand() *cobra.Command {
	var host string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain TEXT",
		Short: "annotate a pasted reply or log line",
		Long: `Annotate a pasted reply or log line. With - the texts are read from stdin, one a
line; the lines of a multi-line reply are joined by the two characters \n.`,
		Example: `  smtp-proxy explain "550 5.1.1 <bob@example.net>: no such user"
  smtp-proxy explain --upstream smtp.gmail.com "535-5.7.8 Username and Password not accepted"
  grep status=bounced mail.log | smtp-proxy explain - --json`,
		Args: arguments(1, 1000, "a reply or log line, or - to read them from stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := newExplainer(p, host, asJSON)
			if err != nil {
				return err
			}
			if len(args) == 1 && args[0] == "-" {
				return e.lines(p.stdin)
			}
			return e.one(strings.Join(args, " "))
		},
	}
	cmd.Flags().StringVar(&host, "upstream", "", "the smarthost that said it: `host`, host:port or URL")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// explainer holds texts against the rules.
type explainer struct {
	engine *diagnose.Engine
	host   string
	print  func(explanation) error
}

func newExplainer(p *program, host string, asJSON bool) (explainer, error) {
	set, err := rules.Load()
	if err != nil {
		return explainer{}, err
	}
	e := explainer{engine: diagnose.New(set, diagnose.Options{Now: p.now}), host: host}
	if asJSON {
		out := jsonLines(p.stdout)
		e.print = func(x explanation) error { return out.Encode(x) }
		return e, nil
	}
	t := transcript{screen: p.onStdout(), now: p.now}
	e.print = func(x explanation) error { return printExplanation(t, x) }
	return e, nil
}

// longestLine is the longest text read from stdin.
const longestLine = 1 << 20

func (e explainer) lines(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		if err := e.one(lines.Text()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read stdin: %w: give one reply a line, %d octets at most", err, longestLine)
	}
	return nil
}

func (e explainer) one(text string) error {
	text = strings.TrimRight(strings.ReplaceAll(text, `\n`, "\n"), "\r\n")
	findings := e.engine.Explain(text, e.host)
	if findings == nil {
		findings = []inspect.Finding{}
	}
	// What was pasted may hold a password; it is shown as little as any other.
	return e.print(explanation{Reply: diagnose.Mask(text), Findings: findings})
}

func printExplanation(t transcript, x explanation) error {
	if strings.TrimSpace(x.Reply) == "" {
		return nil
	}
	var b bytes.Buffer
	b.WriteString(t.paint(bold, visibleLines(x.Reply)) + "\n")
	t.findings(&b, x.Findings, x.Reply)
	if len(x.Findings) == 0 {
		b.WriteString("nothing in it tells of a failure\n")
	}
	b.WriteByte('\n')
	_, err := t.out.Write(b.Bytes())
	return err
}
