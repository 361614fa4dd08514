package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
)

// CausesCommand prints the catalogue, or one cause of it.
func (p *program) CausesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "causes [ID]",
		Short: "the catalogue of causes, or one cause with its explanation and fix",
		Example: `  smtp-proxy causes
  smtp-proxy causes tls.certificate-expired
  smtp-proxy causes 'tls.*'`,
		Args:              arguments(0, 1, ""),
		ValidArgsFunction: completeCauses,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := rules.Load()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return p.listCauses(set.Causes())
			}
			return p.showCause(set, args[0])
		},
	}
}

// completeCauses offers the ids to the shell.
func completeCauses(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	set, err := rules.Load()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, c := range set.Causes() {
		ids = append(ids, c.ID+"\t"+neutral(c.Title))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// showCause prints one cause, or a family when that is named.
func (p *program) showCause(set *rules.Set, id string) error {
	if c, ok := set.Cause(id); ok {
		return causeText{p.onStdout()}.write(c)
	}
	var family, ids = []rules.Cause{}, []string{}
	for _, c := range set.Causes() {
		ids = append(ids, c.ID)
		if c.Family() == strings.TrimSuffix(id, ".*") {
			family = append(family, c)
		}
	}
	if len(family) > 0 {
		return p.listCauses(family)
	}
	if near := policy.Nearest(id, ids); near != "" {
		return fmt.Errorf("no cause %q: did you mean %q?", id, near)
	}
	return fmt.Errorf("no cause %q: smtp-proxy causes lists them all", id)
}

// listCauses prints a line for each cause, the families apart.
func (p *program) listCauses(causes []rules.Cause) error {
	t := table{screen: p.onStdout()}
	family := ""
	for _, c := range causes {
		if c.Family() != family && family != "" {
			t.add(cell{})
		}
		family = c.Family()
		t.add(cell{c.ID, bold}, cell{c.Side, plainStyle}, cell{c.Retry(), plainStyle}, cell{c.What, dim})
	}
	return t.write()
}

// causeText writes one cause in full.
type causeText struct{ screen }

func (t causeText) write(c rules.Cause) error {
	sandbox, err := provocation(c)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(t.paint(boldRed, c.ID) + "  " + t.paint(bold, neutral(c.Title)) + "\n\n")
	t.paragraph(&b, "", neutral(c.Explanation))
	t.list(&b, "Fix", numbered(c.Fix))
	t.list(&b, "Who has to act", []string{c.Side})
	t.list(&b, "Retry", []string{c.Retry()})
	t.list(&b, "Looks like", []string{c.Example})
	t.list(&b, "To meet it", sandbox)
	t.list(&b, "See", c.Refs)
	_, err = io.WriteString(t.out, b.String())
	return err
}

func (t causeText) list(b *strings.Builder, title string, texts []string) {
	if len(texts) == 0 || texts[0] == "" {
		return
	}
	b.WriteString("\n" + t.paint(bold, title) + "\n")
	for _, text := range texts {
		t.paragraph(b, "  ", neutral(text))
	}
}

func (t causeText) paragraph(b *strings.Builder, indent, text string) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		for _, piece := range wrap(line, t.width-len(indent)) {
			b.WriteString(indent + piece + "\n")
		}
	}
}

// neutral names the places of a text that a session fills: "valid until
// <not_after>".
func neutral(text string) string {
	return rules.Fill(text, func(name string) string { return "<" + name + ">" })
}
