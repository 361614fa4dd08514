package rules_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect/rules"
)

// The ids are a promise to users, who filter and alert on them: one may be
// added, none may go.
const causeIDs = `
connect.dns-no-such-host connect.dns-failure connect.refused connect.timeout
connect.port-blocked connect.unreachable connect.reset connect.closed connect.no-greeting
connect.not-smtp connect.rejected
tls.required tls.not-offered tls.stripped tls.starttls-refused tls.implicit-expected
tls.plaintext-expected tls.certificate-expired tls.certificate-not-yet-valid tls.clock-skew
tls.certificate-name-mismatch tls.certificate-self-signed tls.certificate-untrusted
tls.chain-incomplete tls.certificate-weak tls.certificate-revoked tls.version-mismatch
tls.cipher-mismatch tls.sni-required tls.client-certificate-required tls.handshake-timeout
tls.handshake-reset tls.handshake-corrupt tls.app-rejected-certificate tls.app-version-mismatch
auth.required auth.bad-credentials auth.app-password-required auth.browser-sign-in-required
auth.wrong-credential-kind auth.username-format auth.mechanism-unsupported
auth.encryption-required auth.oauth-required auth.token-rejected auth.disabled
auth.policy-blocked auth.account-locked auth.too-many-attempts auth.temporary-failure
auth.ip-not-allowed auth.malformed-exchange
sender.not-verified sender.not-authorized sender.rejected sender.domain-not-found
sender.spf-failed sender.dkim-failed sender.dmarc-failed sender.unauthenticated sender.sandbox
sender.account-suspended
relay.denied
rate.connections rate.messages rate.quota-exceeded rate.recipient
reputation.ip-blocklisted reputation.domain-blocklisted reputation.poor reputation.geo-blocked
reputation.no-reverse-dns reputation.helo-rejected
recipient.unknown recipient.bad-syntax recipient.domain-not-found
recipient.domain-accepts-no-mail recipient.mailbox-full recipient.disabled recipient.moved
recipient.greylisted recipient.too-many recipient.suppressed recipient.refused
message.too-large message.spam message.virus message.policy message.rejected message.malformed
message.line-too-long message.bare-newline message.encoding-unsupported message.loop
upstream.unavailable upstream.overloaded upstream.storage-full upstream.misconfigured
upstream.local-error upstream.routing-failure upstream.expired upstream.closed upstream.timeout
protocol.bad-sequence protocol.syntax-error protocol.command-unsupported
protocol.parameter-unsupported protocol.line-too-long protocol.pipelining-violation
protocol.starttls-injection protocol.smuggling protocol.not-smtp protocol.invalid-reply
protocol.desync
app.disconnected app.timeout
proxy.policy-blocked proxy.fault-injected proxy.shutting-down proxy.limit-reached proxy.loop
unclassified.temporary unclassified.permanent
`

func TestCatalogueKeepsItsIDs(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range set.Causes() {
		got = append(got, c.ID)
	}
	want := strings.Fields(causeIDs)
	for _, id := range want {
		if !slices.Contains(got, id) {
			t.Errorf("catalogue.toml lacks %s", id)
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			t.Errorf("catalogue.toml has %s, which this test does not list: add it here, for good", id)
		}
	}
}

func TestCausesSayWhoAndWhen(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"connect.refused": "operator later", "connect.rejected": "upstream by code",
		"tls.certificate-expired": "upstream after-fix", "auth.bad-credentials": "operator after-fix",
		"rate.quota-exceeded": "operator later", "recipient.unknown": "recipient by code",
		"recipient.bad-syntax": "app never", "app.disconnected": "app now",
	} {
		c, ok := set.Cause(id)
		if got := c.Side + " " + c.Retry(); !ok || got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
		if family, _, _ := strings.Cut(id, "."); c.Family() != family {
			t.Errorf("%s: family %q, want %q", id, c.Family(), family)
		}
	}
}
