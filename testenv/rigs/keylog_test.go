//go:build rigs

package rigs_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWiresharkDecrypts captures a session with TLS on both legs from the
// wire, and reads it with the keys that the proxy wrote.
func TestWiresharkDecrypts(t *testing.T) {
	k := newKit(t)
	m := startPostfix(t, k)
	p := newProxy(t, k, m, legs{starttls, starttls})
	keys := filepath.Join(p.dir, "keys")
	t.Setenv("SSLKEYLOGFILE", keys)
	p.run(t)
	file := filepath.Join(p.dir, "wire.pcap")
	listener := tcpdump(t, file, portOf(t, p.addr), portOf(t, m.plain))
	sendSwaks(t, job{
		Addr: p.addr, TLS: starttls, CA: p.data + "/ca.pem", Mech: "PLAIN", User: account, Password: password,
		Helo: "wire.app.rig.test", From: account, To: m.mailboxes(t, 1), File: letters(t, p.dir)["short"],
	})
	p.finish(t)
	for _, addr := range []string{p.addr, m.plain} {
		port := portOf(t, addr)
		filter := "tcp.dstport == " + port + " && smtp.req.command"
		as := []string{"-d", "tcp.port==" + port + ",smtp"}
		commands := func() []string {
			return dissect(t, file, filter, "smtp.req.command", append(as, "-o", "tls.keylog_file:"+keys)...)
		}
		eventually(t, "QUIT of "+addr+" in the capture, decrypted", func() bool { return slices.Contains(commands(), "QUIT") },
			func() string { return strings.Join(commands(), " ") + tail(listener.log) })
		if got := commands(); !slices.Contains(got, "MAIL") || !slices.Contains(got, "AUTH") {
			t.Errorf("port %s with the keys: got the commands %q, want AUTH and MAIL among them", port, got)
		}
		if got := dissect(t, file, filter, "smtp.req.command", as...); slices.Contains(got, "MAIL") {
			t.Errorf("port %s without the keys: got the commands %q, want none from under TLS", port, got)
		}
	}
	must(t, os.Remove(file)) // it was written to be read; the rest must hold no secret
	checkSecrets(t, p)
}

// tcpdump captures what goes over loopback on two ports until the test ends.
func tcpdump(t *testing.T, file, one, other string) *process {
	t.Helper()
	p := start(t, file+".log", exec.Command("tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode", "-Z", "root", "-w", file,
		"tcp port "+one+" or tcp port "+other))
	eventually(t, "tcpdump at work", func() bool { return strings.Contains(tail(p.log), "listening on") }, func() string { return tail(p.log) })
	return p
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	must(t, err)
	return port
}
