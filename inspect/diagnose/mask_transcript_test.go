package diagnose_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// What a line alone does not show to be a secret.
func TestMaskTranscript(t *testing.T) {
	for text, want := range map[string]string{
		"-> AUTH LOGIN\n<- 334 VXNlcm5hbWU6\n-> bWVAeA==\n<- 334 UGFzc3dvcmQ6\n-> abcdefgh\n<- 535 no": "-> AUTH LOGIN\n<- 334 VXNlcm5hbWU6\n-> ***\n<- 334 UGFzc3dvcmQ6\n-> ***\n<- 535 no",
		"SMTP_PASSWORD=hunter22 ./send":                                "SMTP_PASSWORD=*** ./send",
		"swaks --to bob@example.net -ap hunter22":                      "swaks --to bob@example.net -ap ***",
		"curl -u me@example.com:hunter22 smtp://mx":                    "curl -u me@example.com:*** smtp://mx",
		"550 5.1.1 <bob@example.net>: Recipient address rejected: key": "550 5.1.1 <bob@example.net>: Recipient address rejected: key",
		"250 2.0.0 Ok: queued as 4bXz2abcDEF":                          "250 2.0.0 Ok: queued as 4bXz2abcDEF",
	} {
		if got := diagnose.Mask(text); got != want {
			t.Errorf("Mask(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzMask: whatever stands around it, what answers a 334 is hidden, and
// so are credentials in base64.
func FuzzMask(f *testing.F) {
	f.Add("AUTH LOGIN\n", "swordfish!", "535 no")
	f.Add("< ", "x", "\n334 \n334")
	f.Fuzz(func(t *testing.T, before, password, after string) {
		for _, c := range password {
			if c <= ' ' || c > '~' {
				return
			}
		}
		if len(password) < 6 || strings.ContainsAny(password, `'"\`) {
			return
		}
		secret := "Zq7-" + password + "-Zq7" // no part of what stands around it
		encoded := base64.StdEncoding.EncodeToString([]byte("\x00me\x00" + secret))
		for _, text := range []string{
			before + "\n334 UGFzc3dvcmQ6\n" + secret + "\n" + after,
			before + "\n<- 334 UGFzc3dvcmQ6\r\n -> " + secret + "\r\n" + after,
			before + "\n" + encoded + "\n" + after,
		} {
			if got := diagnose.Mask(text); strings.Contains(got, "Zq7-"+password) || strings.Contains(got, encoded) {
				t.Fatalf("%q: got %q, want no %q", text, got, secret)
			}
		}
	})
}
