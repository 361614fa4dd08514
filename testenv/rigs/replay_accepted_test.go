//go:build rigs

package rigs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// changing is a server whose mailboxes come and go, and that tells what it has
// taken.
type changing struct {
	*mta
	counters int // messages of its own
}

// taken matches the line that each server logs before it says 250 to a
// message.
var taken = map[string]*regexp.Regexp{
	"Postfix": regexp.MustCompile(`postfix/cleanup\[\d+\]: \w+: message-id=`),
	"Exim":    regexp.MustCompile(`(?m)^\S+ \S+ \S+ <= `),
}

// accepted counts the messages that the server has taken since its start. It
// sends one of its own, behind which no line of an earlier one can be missing,
// and does not count those.
func (m *changing) accepted(t *testing.T) int {
	t.Helper()
	box := m.mailboxes(t, 1)[0]
	d, err := dial(m.plain, "counter.app.rig.test")
	must(t, err)
	defer d.Close()
	must(t, d.hand(box, "counter@rig.test", ""))
	must(t, d.verdict())
	m.stored(t, box)
	m.counters++
	text, err := os.ReadFile(m.log)
	must(t, err)
	return len(taken[m.name].FindAll(text, -1)) - m.counters
}

// dir is where the server's own files are.
func (m *changing) dir() string { return filepath.Dir(m.mail) }

// refuse has the server know no mailbox of these addresses from now on, and
// all others again.
func (m *changing) refuse(t *testing.T, addrs ...string) {
	t.Helper()
	if m.name == "Postfix" {
		m.refusePostfix(t, addrs)
	} else {
		m.refuseExim(t, addrs)
	}
}

// refusePostfix changes the table of mailboxes and has Postfix read it.
func (m *changing) refusePostfix(t *testing.T, addrs []string) {
	t.Helper()
	var names []string
	for _, a := range addrs {
		names = append(names, localPart(a))
	}
	write(t, filepath.Join(m.dir(), "mailboxes"), "if !/^("+strings.Join(names, "|")+")@/\n/^b[0-9]+x[0-9]+@/ exists\nendif\n")
	text, err := os.ReadFile(filepath.Join(m.dir(), "queue", "pid", "master.pid"))
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGHUP))
	m.awaitRefusal(t, addrs)
}

// refuseExim moves the mailboxes aside, and those back that were moved before.
func (m *changing) refuseExim(t *testing.T, addrs []string) {
	t.Helper()
	aside, err := filepath.Glob(filepath.Join(m.mail, "refused-*"))
	must(t, err)
	for _, dir := range aside {
		must(t, os.Rename(dir, filepath.Join(m.mail, strings.TrimPrefix(filepath.Base(dir), "refused-"))))
	}
	for _, a := range addrs {
		must(t, os.Rename(filepath.Join(m.mail, localPart(a)), filepath.Join(m.mail, "refused-"+localPart(a))))
	}
	m.awaitRefusal(t, addrs)
}

// awaitRefusal waits until no process of the server knows better.
func (m *changing) awaitRefusal(t *testing.T, addrs []string) {
	t.Helper()
	for _, a := range addrs {
		row := 0
		eventually(t, "refusal of "+a, func() bool {
			row++
			if !m.refuses(t, a) {
				row = 0
			}
			return row == 5 // Postfix has several processes
		}, func() string { return tail(m.log) })
	}
}

func (m *changing) refuses(t *testing.T, addr string) bool {
	t.Helper()
	d, err := dial(m.plain, "asker.app.rig.test")
	if err != nil {
		return false // Postfix reads its configuration
	}
	defer d.Close()
	must(t, d.say(250, "MAIL FROM:<%s>", account))
	return d.say(550, "RCPT TO:<%s>", addr) == nil
}
