package upstream

// mailProvider is one whose smarthosts everybody knows by name, so that a
// certificate in that name tells by its issuer whether it is the provider's.
type mailProvider struct {
	name    string
	domains []string // its smarthosts, and what else its certificates name
	issues  []string // in the names of authorities that are its own, lower case
}

func mailProviders() []mailProvider {
	return []mailProvider{
		{"Google", []string{"gmail.com", "googlemail.com", "google.com"}, []string{"google"}},
		{"Microsoft", []string{"office365.com", "outlook.com", "hotmail.com", "live.com"}, []string{"microsoft"}},
		{"Amazon", []string{"amazonaws.com", "amazonses.com", "awsapps.com"}, []string{"amazon", "starfield"}},
		{"Apple", []string{"me.com", "icloud.com", "apple.com"}, []string{"apple"}},
		{"Yahoo", []string{"yahoo.com", "yahoo.co.jp", "yahoodns.net", "aol.com", "verizon.net", "att.net"}, []string{"yahoo"}},
		{"SendGrid", []string{"sendgrid.net", "sendgrid.com"}, nil},
		{"Mailgun", []string{"mailgun.org", "mailgun.net", "mailgun.com"}, nil},
		{"Postmark", []string{"postmarkapp.com", "mtasv.net"}, nil},
		{"SparkPost", []string{"sparkpostmail.com", "sparkpost.com"}, nil},
		{"Brevo", []string{"brevo.com", "sendinblue.com"}, nil},
		{"Mailjet", []string{"mailjet.com"}, nil},
		{"SMTP2GO", []string{"smtp2go.com"}, nil},
		{"Mandrill", []string{"mandrillapp.com"}, nil},
		{"Zoho", []string{"zoho.com", "zoho.eu", "zoho.in", "zeptomail.com", "zeptomail.eu"}, nil},
		{"Fastmail", []string{"fastmail.com", "messagingengine.com"}, nil},
		{"Proton", []string{"protonmail.ch", "proton.me"}, nil},
		{"GMX and WEB.DE", []string{"gmx.net", "gmx.com", "gmx.de", "web.de", "mail.com", "1und1.de", "ionos.com"}, []string{"deutsche telekom", "telesec"}},
	}
}

// publicAuthorities are words in the names of those who issue to anybody: a
// chain of theirs that is not trusted speaks of an old or empty trust store,
// not of somebody in between.
func publicAuthorities() []string {
	return []string{
		"actalis", "affirmtrust", "amazon", "apple", "baltimore", "buypass", "certainly", "certigna", "certsign", "certum",
		"comodo", "cybertrust", "d-trust", "deutsche telekom", "digicert", "emsign", "entrust", "geotrust", "globalsign",
		"go daddy", "godaddy", "google trust services", "harica", "hellenic academic", "identrust",
		"internet security research group", "let's encrypt", "microsoft", "quovadis", "rapidssl", "secom trust", "sectigo",
		"securetrust", "ssl.com", "starfield", "swisssign", "t-systems", "telesec", "telia", "thawte", "trustwave", "unizeto",
		"usertrust", "verisign", "zerossl",
	}
}
