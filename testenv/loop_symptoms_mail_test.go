package testenv_test

import (
	"slices"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// authSymptoms are complaints about signing in.
func authSymptoms() []symptom {
	const auth = session.PhaseAuth
	return []symptom{
		{id: "S40", sees: "535: user name or password is wrong",
			left:  "which of the two",
			check: each(shows("auth.bad-credentials", "app@example.com"), showsAs("gmail", "auth.bad-credentials", "app@gmail.com"), showsAs("microsoft365", "auth.bad-credentials"), anotherUser)},
		{id: "S41", sees: "534: an app password is needed",
			check: each(showsAs("gmail", "auth.app-password-required", "app password"),
				answers("gmail", auth, "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x9 - gsmtp",
					testenv.App{User: "me@gmail.com", Password: "Summer-2026!"}, "auth.bad-credentials", "sixteen letters", "12 characters"))},
		{id: "S42", sees: "two-factor sign-in is not set up",
			check: each(showsAs("gmail", "auth.browser-sign-in-required", "app@gmail.com"), showsAs("gmail", "auth.app-password-required", "2-Step"))},
		{id: "S43", sees: "the user name has the wrong form",
			check: shows("auth.username-format", "app")},
		{id: "S44", sees: "the account is locked",
			check: each(shows("auth.account-locked"), showsAs("gmail", "auth.too-many-attempts"),
				answers("postfix", auth, "525 5.7.13 User Account Disabled", testenv.App{User: "me@example.com", Password: "secret-password"}, "auth.account-locked", "me@example.com"))},
		{id: "S45", sees: "a sign-in is wanted, and none was tried",
			check: each(shows("auth.required"), showsAs("gmail", "auth.required"), showsAs("microsoft365", "auth.required"), showsAs("ses", "auth.required"), showsAs("sendgrid", "auth.required"))},
		{id: "S46", sees: "a sign-in is taken under TLS only",
			check: each(shows("auth.encryption-required", "--upstream-tls"), shows("tls.required", "--upstream-tls"))},
		{id: "S47", sees: "the mechanism does not fit",
			check: each(shows("auth.mechanism-unsupported", "PLAIN, LOGIN, CRAM-MD5"), showsAs("microsoft365", "auth.mechanism-unsupported", "LOGIN, XOAUTH2"))},
	}
}

// mailSymptoms are complaints about senders, recipients and messages.
func mailSymptoms() []symptom {
	const rcpt = session.PhaseRcpt
	return []symptom{
		{id: "S50", sees: "relay access denied",
			check: each(shows("relay.denied", "user@example.net"), showsAs("exim", "relay.denied"))},
		{id: "S51", sees: "this address is not listed for relaying",
			check: each(showsAs("microsoft365", "relay.denied"),
				answers("gmail", rcpt, "550-5.7.1 Invalid credentials for relay [192.0.2.7]. The IP address you've\n550-5.7.1 registered in your Workspace SMTP Relay service doesn't match the domain\n550 5.7.1 of the account this email is being sent from. x9 - gsmtp", testenv.App{}, "relay.denied", "192.0.2.7"))},
		{id: "S52", sees: "inside it goes, outside it does not",
			check: localOnly},
		{id: "S53", sees: "550 5.1.1: no such user",
			check: each(shows("recipient.unknown", "user@example.net"), showsAs("gmail", "recipient.unknown"), showsAs("microsoft365", "recipient.unknown"), showsAs("exim", "recipient.unknown"))},
		{id: "S54", sees: "the address has a typo",
			check: answers("postfix", rcpt, "450 4.1.2 <bob@gmial.com>: Recipient address rejected: Domain not found", testenv.App{To: []string{"bob@gmial.com"}}, "recipient.domain-not-found", "send to bob@gmail.com")},
		{id: "S55", sees: "the mailbox was deleted or switched off",
			check: each(shows("recipient.disabled", "user@example.net"), showsAs("gmail", "recipient.disabled"), acceptedBefore)},
		{id: "S56", sees: "the domain takes no mail",
			check: each(shows("recipient.domain-accepts-no-mail", "example.net"), shows("recipient.domain-not-found"))},
		{id: "S57", sees: "when to send again?",
			left:  "whether the app does: its next session is in the record, beside this one",
			check: backOff},
	}
}

// anotherUser is a sign-in that went well and is refused with another user.
func anotherUser(t *testing.T, b bench) {
	engine := newEngine(t)
	s := newSmarthost(t, testenv.SmarthostOptions{User: "good@example.com", Password: "secret-password"})
	f := &testenv.Fault{Upstream: s.Addr(), Roots: s.Roots(), Sends: 1}
	var found []inspect.Finding
	var last *inspect.Session
	for _, user := range []string{"good@example.com", "other@example.com"} {
		f.App = testenv.App{User: user, Password: "secret-password"}
		last = startLoop(t, f).run(t, f)[0]
		found = engine.Annotate(last)
		last.Judge(found)
		engine.Remember(last, found)
	}
	wantCause(t, b.set, found, "auth.bad-credentials", last)
	wantWords(t, found, []string{"the app signed in as other@example.com, before it signed in as good@example.com"})
}

// localOnly is a smarthost that takes the first recipient, of its own domain,
// and no other.
func localOnly(t *testing.T, b bench) {
	f := named(t, testenv.SmarthostOptions{Answers: map[session.Phase]testenv.Answer{
		session.PhaseRcpt: {Reply: "554 5.7.1 <{to}>: Relay access denied", After: 1},
	}})
	f.App = testenv.App{To: []string{"boss@example.com", "user@example.net"}}
	s := startLoop(t, f).run(t, f)[0]
	b.want(t, s, "relay.denied", []string{"user@example.net"})
	if s.Outcome != inspect.Partial {
		t.Errorf("got outcome %s, want partial", s.Outcome)
	}
}

// acceptedBefore is a recipient that was taken and is not any more.
func acceptedBefore(t *testing.T, b bench) {
	found, s := course(t, "", "", "recipient.disabled")
	wantCause(t, b.set, found, "recipient.disabled", s)
	if r := found[0].Recurrence; r == nil || r.Seen != 1 || r.Of != 3 {
		t.Errorf("got recurrence %+v, want 1 of 3", r)
	}
}

// backOff demands a schedule of growing waits, and the delay that a reply
// names.
func backOff(t *testing.T, b bench) {
	showsAs("postfix", "upstream.local-error", "Try again in 5 minutes, then ever more slowly")(t, b)
	for _, text := range []string{"451 4.7.1 Greylisted, please try again in 300 seconds", "421 4.3.0 Temporary System Problem. Try again later (10)."} {
		f := b.engine.Explain(text, "")[0]
		if f.Retry.Advice != "later" || len(f.Retry.Schedule) < 3 || !slices.IsSorted(f.Retry.Schedule) {
			t.Errorf("%q: got %+v, want to try again later, ever more slowly", text, f.Retry)
		}
	}
	if f := b.engine.Explain("451 4.7.1 Greylisted, please try again in 300 seconds", "")[0]; f.Retry.AfterS != 300 {
		t.Errorf("got %+v, want the 300 seconds that the reply names", f.Retry)
	}
}

// providerSymptoms are what is special with a provider.
func providerSymptoms() []symptom {
	const auth = session.PhaseAuth
	return []symptom{
		{id: "S60", sees: "Gmail: less secure apps",
			check: showsAs("gmail", "auth.app-password-required", "app password")},
		{id: "S61", sees: "Gmail: two-factor sign-in is needed",
			check: showsAs("gmail", "auth.app-password-required", "2-Step")},
		{id: "S62", sees: "Gmail: sign in with the browser first",
			check: showsAs("gmail", "auth.browser-sign-in-required")},
		{id: "S63", sees: "Gmail: which host, which port?",
			check: each(shows("connect.dns-no-such-host", "smtp.gmail.com"), submits("gmail", "smtp.gmail.com:587"))},
		{id: "S64", sees: "Microsoft 365: modern authentication",
			check: each(shows("auth.oauth-required", "OAuth"), shows("auth.disabled"), shows("auth.disabled/mailbox"),
				answers("microsoft365", auth, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", testenv.App{User: "me@contoso.com", Password: "secret-password", Mechanism: "LOGIN"}, "auth.oauth-required", "OAuth"))},
		{id: "S65", sees: "Microsoft 365: the user is the whole address",
			check: showsAs("microsoft365", "auth.username-format", "app")},
		{id: "S66", sees: "Microsoft 365: security defaults, or the tenant's setting",
			check: each(shows("auth.policy-blocked"), shows("auth.disabled", "Set-TransportConfig"), shows("auth.disabled/mailbox", "Set-CASMailbox"))},
		{id: "S67", sees: "SES: the sandbox wants verified recipients",
			check: each(shows("sender.sandbox", "user@example.net"), showsAs("ses", "sender.not-verified", "app@example.com"))},
		{id: "S68", sees: "SES: SMTP credentials are no access keys",
			check: showsAs("ses", "auth.wrong-credential-kind", "40 characters", "44")},
		{id: "S69", sees: "SES: the region",
			check: each(showsAs("ses", "auth.bad-credentials", "region", "email-smtp.us-east-1.amazonaws.com"), showsAs("ses", "sender.not-verified", "US-EAST-1"))},
		{id: "S70", sees: "SendGrid: the user is the word apikey",
			check: each(showsAs("sendgrid", "auth.wrong-credential-kind", "apikey"),
				answers("sendgrid", auth, "535 Authentication failed: Bad username / password", testenv.App{User: "apikey", Password: "secret-password"}, "auth.wrong-credential-kind", "SG."))},
		{id: "S71", sees: "SendGrid: the sender is not verified",
			check: showsAs("sendgrid", "sender.not-verified", "app@example.com")},
	}
}

// submits demands that a provider is known with the address that it wants mail
// handed in at.
func submits(provider, addr string) check {
	return func(t *testing.T, b bench) {
		t.Helper()
		if p, ok := b.set.ProviderByID(provider); !ok || p.Submit != addr {
			t.Errorf("%s: got %+v, want mail to be handed in at %s", provider, p, addr)
		}
	}
}
