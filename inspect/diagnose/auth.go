package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// sharpen adds what the session shows beyond the reply's words: the shape of
// the secret, the mechanisms on offer, whether TLS was on, who was named.
func (f *facts) sharpen(r *reply, all []symptom) []symptom {
	switch {
	case r.Verb == "AUTH":
		return f.sharpenAuth(r, all)
	case all[0].cause == "sender.not-verified":
		return f.sharpenSandbox(r, all)
	}
	return all
}

// sharpenAuth replaces "user name or password refused" by what the exchange
// shows, and keeps the reply's own reading as the second.
func (f *facts) sharpenAuth(r *reply, all []symptom) []symptom {
	general := slices.Contains([]string{
		"auth.bad-credentials", "auth.wrong-credential-kind", "auth.temporary-failure", "auth.required", "auth.mechanism-unsupported",
		"auth.malformed-exchange", "protocol.syntax-error", "protocol.command-unsupported", "protocol.parameter-unsupported", "protocol.bad-sequence",
		"unclassified.permanent", "message.rejected",
	}, all[0].cause)
	if !general || r.Code/100 != 5 {
		return all
	}
	for _, look := range []func(*reply) (symptom, bool){f.notOnOffer, f.token, f.malformedAuth, f.wrongKind, f.wellFormed, f.userForm, f.appPassword, f.blanks} {
		s, ok := look(r)
		if !ok {
			continue
		}
		s.evidence, s.code, s.text, s.weight = all[0].evidence, r.Code, r.Text, weightReply
		if s.cause == all[0].cause { // the words say the same: keep the rule's advice
			all[0].values, all[0].what = merged(all[0].values, s.values), s.what
			return all
		}
		if s.certainty == inspect.Certain {
			return []symptom{s}
		}
		second := all[0]
		second.certainty, second.weight = inspect.Possible, weightReply-1
		return []symptom{s, second}
	}
	return all
}

func merged(a, b map[string]string) map[string]string {
	sum := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			sum[k] = v
		}
	}
	return sum
}

// notOnOffer is a mechanism that the EHLO reply does not list. When it lists
// none in clear and STARTTLS is there, AUTH waits for TLS.
func (f *facts) notOnOffer(r *reply) (symptom, bool) {
	mechanisms, offersAuth := f.offers("AUTH")
	_, offersTLS := f.offers("STARTTLS")
	switch {
	case f.hello[0] == nil && f.hello[1] == nil:
		return symptom{}, false
	case !offersAuth && !r.Secure && offersTLS:
		return symptom{cause: "auth.encryption-required", certainty: inspect.Certain}, true
	case !offersAuth && r.Code != 535:
		return symptom{cause: "auth.mechanism-unsupported", certainty: inspect.Likely,
			values: map[string]string{"mechanisms": "none: its EHLO reply does not list AUTH"}}, true
	case offersAuth && f.auth.mechanism != "" && !slices.Contains(strings.Fields(strings.ToUpper(mechanisms)), f.auth.mechanism):
		certainty := inspect.Certain
		if r.Code == 535 { // some take more than they list, and mean the password
			certainty = inspect.Likely
		}
		return symptom{cause: "auth.mechanism-unsupported", certainty: certainty,
			values: map[string]string{"mechanisms": strings.Join(strings.Fields(mechanisms), ", ")}}, true
	}
	return symptom{}, false
}

func (f *facts) malformedAuth(r *reply) (symptom, bool) {
	a := f.lastAuth()
	if a == nil || a.Malformed == "" && !a.Cancelled {
		return symptom{}, false
	}
	detail := a.Malformed
	if a.Cancelled {
		detail = "the app called the exchange off"
	}
	return symptom{cause: "auth.malformed-exchange", certainty: inspect.Certain, values: map[string]string{"detail": detail}}, true
}

// token is a refused OAuth 2 exchange: what was shown is no password, whatever
// the reply calls it.
func (f *facts) token(r *reply) (symptom, bool) {
	if f.auth.mechanism != "XOAUTH2" && f.auth.mechanism != "OAUTHBEARER" || r.Code != 535 {
		return symptom{}, false
	}
	return symptom{cause: "auth.token-rejected", certainty: inspect.Certain}, true
}

func (f *facts) lastAuth() *session.Auth {
	if f.auth.last == nil {
		return nil
	}
	return f.auth.last.Auth
}

// wrongKind recognizes credentials of another kind by their shape: an AWS
// access key in place of an SES SMTP password, a SendGrid user that is not
// the word apikey.
func (f *facts) wrongKind(r *reply) (symptom, bool) {
	a := f.lastAuth()
	if a == nil || a.Secret == nil {
		return symptom{}, false
	}
	why := ""
	switch f.provider {
	case "ses":
		why = sesKind(a)
	case "sendgrid":
		why = apiKeyKind(a, "apikey", "SG.")
	case "resend":
		why = apiKeyKind(a, "resend", "re_")
	case "brevo":
		if a.Secret.Prefix == "xkeysib-" {
			why = "the password begins with xkeysib-: that is a key of the programming interface, SMTP keys begin with xsmtpsib-"
		}
	}
	if why == "" {
		return symptom{}, false
	}
	return symptom{cause: "auth.wrong-credential-kind", certainty: inspect.Certain,
		what:   "The provider has credentials of its own for SMTP, and what the app sent as {user} is something else: {detail}. TLS and the mechanism are fine.",
		values: map[string]string{"detail": why}}, true
}

// sesSMTPPassword is the length of an SES SMTP password: base64 of a version
// octet and an HMAC-SHA256. A secret access key has 40 characters.
const (
	sesSMTPPassword  = 44
	awsSecretKey     = 40
	gmailAppPassword = 16
)

func sesKind(a *session.Auth) string {
	key := strings.HasPrefix(a.Username, "AKIA") || strings.HasPrefix(a.Username, "ASIA")
	switch {
	case !key:
		return "the user name is not an SMTP user of SES; these begin with AKIA"
	case strings.HasPrefix(a.Username, "ASIA"):
		return "the user name begins with ASIA: temporary access keys do not work for SMTP"
	case a.Secret.Length == awsSecretKey:
		return "the password has 40 characters, as an AWS secret access key has; an SES SMTP password has 44"
	case a.Secret.Length != sesSMTPPassword:
		return fmt.Sprintf("the password has %d characters; an SES SMTP password has 44", a.Secret.Length)
	}
	return ""
}

func apiKeyKind(a *session.Auth, user, prefix string) string {
	switch {
	case a.Username != user:
		return "the user name has to be the word " + user + ", whatever the account is called"
	case a.Secret.Prefix != prefix:
		return "the password has to be an API key; these begin with " + prefix
	}
	return ""
}

// userForm is a user name without a domain where the provider wants the whole
// address.
func (f *facts) userForm(*reply) (symptom, bool) {
	a := f.lastAuth()
	p, ok := f.set.ProviderByID(f.provider)
	if a == nil || !ok || p.User != "address" || a.Username == "" || strings.Contains(a.Username, "@") {
		return symptom{}, false
	}
	return symptom{cause: "auth.username-format", certainty: inspect.Likely}, true
}

// appPassword is an ordinary password at a provider that takes app passwords
// of a known form only.
func (f *facts) appPassword(*reply) (symptom, bool) {
	a := f.lastAuth()
	if a == nil || a.Secret == nil || f.provider != "gmail" || strings.Contains(a.Mechanism, "OAUTH") {
		return symptom{}, false
	}
	form := a.Secret.Length == gmailAppPassword && a.Secret.Alphabet == "lower" || a.Secret.Blanks == "groups-of-4"
	if form {
		return symptom{}, false
	}
	return symptom{cause: "auth.bad-credentials", certainty: inspect.Likely,
		what:   "The sign-in as {user} was refused. Google takes app passwords only, which are sixteen letters; {detail}. So it is probably the password of the account, which does not work for programs.",
		values: map[string]string{"detail": fmt.Sprintf("the one that the app sent has %d characters", a.Secret.Length)}}, true
}

// blanks is a secret with white space pasted along.
func (f *facts) blanks(*reply) (symptom, bool) {
	a := f.lastAuth()
	if a == nil || a.Secret == nil || !slices.Contains([]string{"leading", "trailing", "line-end"}, a.Secret.Blanks) {
		return symptom{}, false
	}
	where := map[string]string{"leading": "begins with a blank", "trailing": "ends in a blank", "line-end": "holds a line end"}[a.Secret.Blanks]
	return symptom{cause: "auth.bad-credentials", certainty: inspect.Likely,
		what:   "The sign-in as {user} was refused, and the password that the app sent {detail}: it was probably pasted along. TLS and the mechanism are fine.",
		values: map[string]string{"detail": where}}, true
}

// sharpenSandbox tells an SES sender that is not verified from an account in
// the sandbox: there the identities that failed include a recipient.
func (f *facts) sharpenSandbox(r *reply, all []symptom) []symptom {
	words := strings.ToLower(r.Text)
	for _, m := range f.s.Messages {
		for _, to := range m.To {
			if to.Addr != "" && !strings.EqualFold(to.Addr, m.From) && strings.Contains(words, strings.ToLower(to.Addr)) {
				all[0].cause, all[0].certainty, all[0].rule = "sender.sandbox", inspect.Certain, nil
				all[0].values = merged(all[0].values, map[string]string{"rcpt": to.Addr})
				return all
			}
		}
	}
	return all
}
