package probe

import "testing"

// TestProviderOf knows a provider's smarthosts, and does not take the machines
// that it lets to others for them.
func TestProviderOf(t *testing.T) {
	data, err := loadSenders(sendersFile)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"email-smtp.us-east-1.amazonaws.com":                        "Amazon SES",
		"email-smtp-fips.us-gov-west-1.amazonaws.com":               "Amazon SES",
		"inbound-smtp.eu-west-1.amazonaws.com":                      "Amazon SES",
		"vpce-0a1b-2c3d.email-smtp.us-east-1.vpce.amazonaws.com":    "Amazon SES",
		"feedback-smtp.us-east-1.amazonses.com":                     "Amazon SES",
		"ec2-203-0-113-5.compute-1.amazonaws.com":                   "",
		"mail-1234567890.eu-west-1.elb.amazonaws.com":               "",
		"vpce-0a1b-2c3d.vpce-svc-0a1b.us-east-1.vpce.amazonaws.com": "",
		"ssl0.ovh.net":                      "OVHcloud",
		"pro1.mail.ovh.net":                 "OVHcloud",
		"vps-1a2b3c4d.vps.ovh.net":          "",
		"vps123456.ovh.net":                 "",
		"smtpout.secureserver.net":          "GoDaddy",
		"smtpout.europe.secureserver.net":   "GoDaddy",
		"relay-hosting.secureserver.net":    "GoDaddy",
		"5.113.0.203.host.secureserver.net": "",
		"smtp.gmail.com":                    "Google",
		"smtp.gmail.com.evil.example":       "",
		"smtp.office365.com":                "Microsoft 365",
		"office365.com":                     "",
		"mail.example.com":                  "",
	} {
		got := ""
		if d := data.of(host); d != nil {
			got = d.Name
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}
