//go:build rigs

package rigs_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"smtp-proxy/testenv"
)

// mta is a real mail server on loopback.
type mta struct {
	name     string
	plain    string // host:port that offers STARTTLS
	implicit string // host:port that speaks TLS at once
	ca       string // PEM file of the root that signed its certificate
	mail     string // directory of Maildirs, one for each local part that exists
	owner    int    // uid that delivers
	log      string
	next     atomic.Int64
}

// The account that both servers know, and a password that they do not.
const (
	account       = "rig@rig.test"
	password      = "pl4nted-Horse-Battery"
	wrongPassword = "wr0ng-Planted-Staple"
)

// server names what differs between Postfix and Exim.
type server struct {
	name  string
	start func(*testing.T, kit) *mta
}

func servers() []server {
	return []server{{"Postfix", startPostfix}, {"Exim", startExim}}
}

// newMTA lays out what both servers need: certificates and mailboxes.
func newMTA(t *testing.T, name, dir, owner string) *mta {
	t.Helper()
	m := &mta{
		name:     name,
		plain:    freePort(t),
		implicit: freePort(t),
		mail:     filepath.Join(dir, "mail"),
		owner:    userID(t, owner),
	}
	m.certify(t, dir)
	must(t, os.Mkdir(m.mail, 0o755))
	must(t, os.Chown(m.mail, m.owner, -1))
	return m
}

// certify writes cert.pem, key.pem and ca.pem into dir.
func (m *mta) certify(t *testing.T, dir string) {
	t.Helper()
	ca, err := testenv.NewCA()
	must(t, err)
	leaf, err := ca.Leaf("localhost", "127.0.0.1")
	must(t, err)
	m.ca = write(t, filepath.Join(dir, "ca.pem"), string(ca.PEM()))
	write(t, filepath.Join(dir, "cert.pem"), chainPEM(leaf))
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	must(t, err)
	file := write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	must(t, os.Chown(file, m.owner, -1))
	must(t, os.Chmod(file, 0o600))
}

func chainPEM(c tls.Certificate) string {
	var text string
	for _, der := range c.Certificate {
		text += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return text
}

func userID(t *testing.T, name string) int {
	t.Helper()
	u, err := user.Lookup(name)
	must(t, err)
	id, err := strconv.Atoi(u.Uid)
	must(t, err)
	return id
}

// mailboxes makes n mailboxes that no one has used, and returns their
// addresses.
func (m *mta) mailboxes(t *testing.T, n int) []string {
	t.Helper()
	job := m.next.Add(1)
	var all []string
	for i := range n {
		name := fmt.Sprintf("b%dx%d", job, i)
		dir := filepath.Join(m.mail, name)
		for _, d := range []string{dir, dir + "/new", dir + "/cur", dir + "/tmp"} {
			must(t, os.Mkdir(d, 0o700))
			must(t, os.Chown(d, m.owner, -1))
		}
		all = append(all, name+"@rig.test")
	}
	return all
}

// stored waits for the one message in the mailbox of addr and returns it as
// it lies on disk.
func (m *mta) stored(t *testing.T, addr string) []byte {
	t.Helper()
	dir := filepath.Join(m.mail, localPart(addr), "new")
	var files []os.DirEntry
	eventually(t, "message for "+addr, func() bool {
		files, _ = os.ReadDir(dir)
		return len(files) > 0
	}, func() string { return tail(m.log) })
	if len(files) != 1 {
		t.Fatalf("%s: got %d messages for %s, want 1", m.name, len(files), addr)
	}
	text, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	must(t, err)
	return text
}
