package testenv_test

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"smtp-proxy/testenv"
)

// versioned is a fault under one version of TLS.
type versioned struct {
	id      string
	version uint16
}

// A certificate or a handshake at fault is named the same way under both
// versions of TLS that are in use, though a smarthost of TLS 1.3 says some of it
// only behind the handshake.
func TestCheckNamesTheCauseUnderEachVersion(t *testing.T) {
	t.Parallel()
	set, engine := loadRules(t), newEngine(t)
	ids := slices.Concat(certificateCauses(), otherFlaws(), []string{
		"tls.cipher-mismatch", "tls.client-certificate-required", "tls.sni-required", "tls.sni-required/unknown-name",
		"tls.handshake-reset", "tls.handshake-reset/closed", "tls.handshake-reset/in-flight",
		"tls.handshake-corrupt", "tls.handshake-corrupt/in-flight",
		"tls.handshake-timeout", "tls.handshake-timeout/in-flight",
	})
	all := map[string]versioned{}
	var names []string
	for _, id := range ids {
		for _, v := range bothVersions() {
			name := id + " under " + tls.VersionName(v)
			names, all[name] = append(names, name), versioned{id, v}
		}
	}
	slices.Reverse(names) // the last ones wait for silence
	eachAtOnce(t, names, func(t *testing.T, name string) {
		f, err := testenv.StartFault(all[name].id, testenv.FaultOptions{Version: all[name].version})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		c := examine(t, f, exam{script: scriptOf(f), within: 4 * time.Second})
		found := c.findings(t, engine)
		c.wantLadder(t, found)
		wantCause(t, set, found, f.Cause, c.Session)
	})
}
