//go:build rigs

package rigs_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"smtp-proxy/testenv"
)

const composeDir = "../compose"

// TestCompose plays docker-compose.yml without Docker: its smarthost's
// certificates and Postfix settings, its proxy, and one round of its app.
func TestCompose(t *testing.T) {
	k := newKit(t)
	dir := k.scratch(t)
	out, err := exec.Command(filepath.Join(composeDir, "smarthost", "serve"), dir, "--certificates").CombinedOutput()
	if err != nil {
		t.Fatalf("serve: %v\n%s", err, out)
	}
	m := startComposePostfix(t, dir)
	p := newProxy(t, k, m, legs{clear, starttls})
	names, err := testenv.NewDNS()
	must(t, err)
	defer names.Close()
	names.A("smarthost", "127.0.0.1")
	p.args = append(p.args, "--upstream", "smarthost:"+port(m.plain), "--upstream-tls", "starttls", "--resolver", names.Addr())
	p.run(t)

	said, err := exec.Command(filepath.Join(composeDir, "app", "send"), p.addr, "1").CombinedOutput()
	if err != nil {
		t.Fatalf("send: %v\n%s\n%s", err, said, tail(m.log))
	}
	for _, want := range []string{"not accepted: to nobody here (swaks ends with 24)", "not accepted: to relay without signing in (swaks ends with 24)"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("got from the app %q, want %q in it", said, want)
		}
	}
	p.finish(t)
	outcomes := map[string]int{}
	for _, r := range p.sessions(t) {
		outcomes[r.Outcome]++
	}
	if outcomes["delivered"] != 1 || outcomes["rejected"] != 2 {
		t.Errorf("got outcomes %v, want one delivered and two rejected; the app said:\n%s", outcomes, said)
	}
}

// startComposePostfix runs Postfix with the settings of the compose file, in
// a place of its own.
func startComposePostfix(t *testing.T, dir string) *mta {
	t.Helper()
	m := &mta{name: "Postfix", plain: freePort(t), ca: filepath.Join(dir, "ca.pem"), log: filepath.Join(dir, "postfix.log")}
	postfixQueue(t, dir)
	settings := strings.NewReplacer("/certs/", dir+"/", "/dev/stdout", m.log).Replace(template(t, filepath.Join("..", composeDir, "smarthost", "main.cf")))
	places := "queue_directory = @DIR@/queue\ndata_directory = @DIR@/data\nmaillog_file_prefixes = @DIR@\n" +
		"command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n"
	fill := strings.NewReplacer("@DIR@", dir, "@PLAIN@", m.plain, "@IMPLICIT@", freePort(t))
	write(t, filepath.Join(dir, "main.cf"), settings+fill.Replace(places))
	services := template(t, "postfix-master.cf") + "discard unix - - n - - discard\n"
	write(t, filepath.Join(dir, "master.cf"), fill.Replace(services))
	start(t, filepath.Join(dir, "master.out"), exec.Command("/usr/lib/postfix/sbin/master", "-c", dir, "-d")).awaitPort(t, m.plain)
	return m
}
