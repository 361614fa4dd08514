package main

import (
	"bytes"
	"context"
	"net"
	"strings"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/web"
	"smtp-proxy/upstream/probe"
)

// search looks for the smallest change that helps, behind a check with --fix.
// It has the time of one more check.
func (x *examiner) search(ctx context.Context, r *examined) *probe.Fix {
	ctx, cancel := context.WithTimeout(ctx, x.c.timeout)
	defer cancel()
	want := probe.Search{Script: x.c.script, Before: r.report, Reach: r.reach, Hosts: submitHosts(x.set), UserForm: userForm(x.set, r.provider)}
	if r.reach.Resolver != "" {
		want.Resolvers = []string{""}
	}
	f := x.prober(r.examinee).Fix(ctx, r.target, want)
	return &f
}

// submitHosts lists the smarthosts that providers document.
func submitHosts(set *rules.Set) (hosts []string) {
	for _, p := range set.Providers() {
		if host, _, err := net.SplitHostPort(p.Submit); err == nil {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// userForm says what user names are like at a provider: empty where anything
// may be.
func userForm(set *rules.Set, provider string) probe.UserForm {
	p, ok := set.ProviderByID(provider)
	switch {
	case !ok || p.Software:
		return probe.UserUnknown
	case p.User == "":
		return probe.UserOwn
	}
	return probe.UserForm(p.User)
}

// fixObject is nil without --fix.
func (r *examined) fixObject() *web.CheckFix {
	if r.fix == nil {
		return nil
	}
	x := &web.CheckFix{Change: r.fix.Change, Flags: r.fix.Flags, Reached: r.fix.Reached, Text: r.fix.Text, Tried: []web.CheckTried{}}
	if x.Flags == nil {
		x.Flags = []string{}
	}
	for _, t := range r.fix.Tried {
		x.Tried = append(x.Tried, web.CheckTried(t))
	}
	return x
}

// fixWidth is the column behind "tried  ".
const fixWidth = 7

// fix writes what was tried, and last the one change to make.
func (l ladder) fix(b *bytes.Buffer, f *probe.Fix) {
	b.WriteByte('\n')
	for _, t := range f.Tried {
		text := t.Change + ": gets as far as " + t.Reached
		if t.Reached == "" {
			text = t.Change + ": the name is not found"
		}
		if t.Text != "" {
			text += ", then: " + t.Text
		}
		l.labelled(b, "tried", text, dim)
	}
	if f.Change == "" {
		l.labelled(b, "fix", f.Text, bold)
		return
	}
	l.labelled(b, "fix", f.Change, bold)
	if len(f.Flags) > 0 {
		l.labelled(b, "", "smtp-proxy run "+strings.Join(f.Flags, " "), plainStyle)
	}
	l.labelled(b, "", "gets as far as "+f.Reached, dim)
	if f.Text != "" {
		l.labelled(b, "", f.Text, dim)
	}
}

func (l ladder) labelled(b *bytes.Buffer, label, text string, as style) {
	head := pad(label, fixWidth)
	for _, piece := range wrap(visible(text), l.width-fixWidth) {
		b.WriteString(l.paint(bold, head) + l.paint(as, piece) + "\n")
		head = strings.Repeat(" ", fixWidth)
	}
}
