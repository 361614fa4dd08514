package upstream_test

import (
	"fmt"
	"testing"

	"smtp-proxy/upstream"
)

// TestSideGoesWithTheSecret has a token and a password, each with what takes it.
func TestSideGoesWithTheSecret(t *testing.T) {
	password := upstream.Credentials{User: "me", Password: "p"}
	token := upstream.Credentials{User: "me", Token: "t"}
	for mechanism, withToken := range map[string]bool{"PLAIN": false, "LOGIN": false, "CRAM-MD5": false, "XOAUTH2": true, "OAUTHBEARER": true} {
		if got := password.Side(mechanism) != nil; got == withToken {
			t.Errorf("%s with a password: %v, want %v", mechanism, got, !withToken)
		}
		if got := token.Side(mechanism) != nil; got != withToken {
			t.Errorf("%s with a token: %v, want %v", mechanism, got, withToken)
		}
	}
	if (upstream.Credentials{User: "a\x00b", Password: "p"}).Side("PLAIN") != nil {
		t.Error("PLAIN takes a user with a NUL, which ends the name")
	}
	if name, side := password.Best([]string{"XOAUTH2", "LOGIN", "PLAIN"}); name != "PLAIN" || side == nil {
		t.Errorf("the best for a password is %q, want PLAIN", name)
	}
	if name, side := token.Best([]string{"PLAIN"}); name != "" || side != nil {
		t.Errorf("the best for a token is %q, want none", name)
	}
	if got := fmt.Sprintf("%v %+v %#v", token, password, &password); got != "*** *** ***" {
		t.Errorf("printed as %q", got)
	}
}
