package diagnose

import (
	"fmt"

	"smtp-proxy/inspect"
)

// wellFormed is a refusal of SES that its rule takes for credentials of
// another kind, while these have the form of the right kind: then they belong
// to another region, or are good no more.
func (f *facts) wellFormed(r *reply) (symptom, bool) {
	a := f.lastAuth()
	if f.provider != "ses" || r.Code != 535 || a == nil || a.Secret == nil || a.Secret.Blanks != "" || sesKind(a) != "" {
		return symptom{}, false
	}
	return symptom{cause: "auth.bad-credentials", certainty: inspect.Likely,
		what: "SES refused the sign-in as {user}. User name and password have the form of SES SMTP credentials ({detail}), so they are not of another kind: they were made for another region than that of {host}, belong to a deleted or inactive IAM user, or were changed on the way into the app.",
		fix: []string{
			"Compare the region in {host} with the one in which the SMTP credentials were made: they work in that one only.",
			"IAM console: the user must exist, its access key {user} must be active, and its policy must allow ses:SendRawEmail.",
			"Look for a + or / in the password that a shell, URL or YAML file has changed; else create new SMTP credentials.",
		},
		values: map[string]string{"detail": fmt.Sprintf("a user that begins with AKIA, a password of %d characters", sesSMTPPassword)}}, true
}
