//go:build rigs

package rigs_test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// startPostfix runs a private Postfix: its own configuration, queue, log,
// SASL database and mailboxes, all below one scratch directory.
func startPostfix(t *testing.T, k kit) *mta {
	t.Helper()
	dir := k.scratch(t)
	m := newMTA(t, "Postfix", dir, "nobody")
	m.log = filepath.Join(dir, "postfix.log")
	postfixQueue(t, dir)
	postfixAccounts(t, dir)
	fill := strings.NewReplacer(
		"@DIR@", dir,
		"@PLAIN@", m.plain,
		"@IMPLICIT@", m.implicit,
	)
	write(t, filepath.Join(dir, "deliver"), template(t, "deliver"))
	write(t, filepath.Join(dir, "mailboxes"), "/^b[0-9]+x[0-9]+@/ exists\n")
	write(t, filepath.Join(dir, "main.cf"), fill.Replace(template(t, "postfix-main.cf")))
	write(t, filepath.Join(dir, "master.cf"), fill.Replace(template(t, "postfix-master.cf")))
	p := start(t, filepath.Join(dir, "master.out"), exec.Command("/usr/lib/postfix/sbin/master", "-c", dir, "-d"))
	p.awaitPort(t, m.plain)
	p.awaitPort(t, m.implicit)
	return m
}

// postfixQueue makes the directories that "postfix start" would make.
func postfixQueue(t *testing.T, dir string) {
	t.Helper()
	owner := userID(t, "postfix")
	drop, err := user.LookupGroup("postdrop")
	must(t, err)
	group, err := strconv.Atoi(drop.Gid)
	must(t, err)
	for _, name := range strings.Fields("active bounce corrupt defer deferred flush hold incoming private saved trace public maildrop") {
		makeDir(t, filepath.Join(dir, "queue", name), owner, -1, 0o700)
	}
	makeDir(t, filepath.Join(dir, "queue", "pid"), 0, -1, 0o755)
	makeDir(t, filepath.Join(dir, "data"), owner, -1, 0o700)
	must(t, os.Chown(filepath.Join(dir, "queue", "public"), owner, group))
	must(t, os.Chmod(filepath.Join(dir, "queue", "public"), 0o710))
}

func makeDir(t *testing.T, path string, owner, group int, mode os.FileMode) {
	t.Helper()
	must(t, os.MkdirAll(path, 0o755))
	must(t, os.Chown(path, owner, group))
	must(t, os.Chmod(path, mode))
}

// postfixAccounts writes the SASL library's configuration and user database.
func postfixAccounts(t *testing.T, dir string) {
	t.Helper()
	sasl := filepath.Join(dir, "sasl")
	must(t, os.Mkdir(sasl, 0o755))
	database := filepath.Join(sasl, "sasldb2")
	write(t, filepath.Join(sasl, "smtpd.conf"),
		"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: "+database+"\nmech_list: PLAIN LOGIN CRAM-MD5\n")
	name, realm, _ := strings.Cut(account, "@")
	cmd := exec.Command("saslpasswd2", "-c", "-p", "-f", database, "-u", realm, name)
	cmd.Stdin = strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v\n%s", err, out)
	}
	must(t, os.Chown(database, userID(t, "postfix"), -1))
}

func template(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return string(text)
}
