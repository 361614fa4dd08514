package testenv

import (
	"context"
	"encoding/base64"
	"strings"

	"smtp-proxy/proxy/session"
)

// prompts returns what a mechanism asks for, one challenge for each response;
// ok is false for a mechanism that is not known.
func prompts(mech string) (challenges []string, ok bool) {
	switch mech {
	case "PLAIN", "XOAUTH2", "OAUTHBEARER":
		return []string{""}, true
	case "LOGIN":
		return []string{"Username:", "Password:"}, true
	case "CRAM-MD5":
		return []string{"<1896.697170952@postoffice.example.net>"}, true
	}
	return nil, false
}

// auth goes through an AUTH exchange (RFC 4954, section 4). No secret outlives
// it.
func (t *talk) auth(ctx context.Context, arg string) bool {
	mech, initial, has := strings.Cut(strings.TrimSpace(arg), " ")
	challenges, known := prompts(strings.ToUpper(mech))
	switch {
	case t.user != "":
		return t.plain(ctx, "503 5.5.1 Error: already authenticated")
	case !known:
		return t.plain(ctx, "504 5.7.4 Unrecognized authentication type")
	}
	var responses []string
	for _, challenge := range challenges {
		response := initial
		if !has {
			asked := "334 " + base64.StdEncoding.EncodeToString([]byte(challenge))
			line, over := t.ask(ctx, asked)
			if over {
				return true
			}
			response = line
		}
		has = false
		text, refused := saslText(response)
		if refused != "" {
			return t.plain(ctx, refused)
		}
		responses = append(responses, text)
	}
	return t.signIn(ctx, strings.ToUpper(mech), responses)
}

func (t *talk) ask(ctx context.Context, reply string) (line string, over bool) {
	if t.plain(ctx, reply) {
		return "", true
	}
	b, err := t.line()
	return strings.TrimRight(string(b), "\r\n"), err != nil
}

// saslText decodes a response, or says how it is refused.
func saslText(response string) (text, refused string) {
	if response == "*" {
		return "", "501 5.7.0 Authentication cancelled"
	}
	if response == "=" {
		return "", ""
	}
	b, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		return "", "501 5.5.2 Error: authentication failed: malformed base64"
	}
	return string(b), ""
}

// signIn gives the verdict on the responses of an exchange.
func (t *talk) signIn(ctx context.Context, mech string, responses []string) bool {
	user, password := credentials(mech, responses)
	if p, ok := provocation(user, "auth"); ok {
		return t.plain(ctx, p.reply(user))
	}
	a, special := t.host.answer(session.PhaseAuth)
	o := t.host.opts
	wrong := o.User != "" && (user != o.User || mech != "CRAM-MD5" && password != o.Password)
	if wrong && !special {
		a.Reply = "535 5.7.8 Error: authentication failed: authentication failure"
	}
	accepted := strings.HasPrefix(a.Reply, "235")
	if !accepted && (mech == "XOAUTH2" || mech == "OAUTHBEARER") {
		// The reason comes first, as a challenge that wants an empty answer (RFC 7628, section 3.2.3).
		reason := base64.StdEncoding.EncodeToString([]byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`))
		if _, over := t.ask(ctx, "334 "+reason); over {
			return true
		}
	}
	filled := t.fill() // with nobody signed in yet
	if accepted {
		t.user = user
	}
	return a.give(ctx, t.conn, filled)
}

// credentials finds the user and the secret in the responses of a mechanism.
func credentials(mech string, responses []string) (user, secret string) {
	switch mech {
	case "LOGIN":
		return responses[0], responses[1]
	case "PLAIN":
		parts := strings.SplitN(responses[0], "\x00", 3)
		if len(parts) == 3 {
			return parts[1], parts[2]
		}
	case "CRAM-MD5":
		user, secret, _ = strings.Cut(responses[0], " ")
	case "XOAUTH2":
		user, secret, _ = strings.Cut(strings.TrimPrefix(responses[0], "user="), "\x01")
	case "OAUTHBEARER":
		_, rest, _ := strings.Cut(responses[0], "a=")
		user, secret, _ = strings.Cut(rest, ",")
	}
	return user, secret
}
