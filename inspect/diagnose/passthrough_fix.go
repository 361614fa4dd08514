package diagnose

// trustFix are the steps against a certificate that an app does not trust,
// where the app itself looks at it: what the catalogue says is about this
// proxy's settings. It is nil where the catalogue's steps hold.
func trustFix(cause string) []string {
	const give = "Node.js: NODE_EXTRA_CA_CERTS; Python: SSL_CERT_FILE; Java: keytool -importcert; PHP: openssl.cafile"
	switch cause {
	case "tls.certificate-untrusted":
		return []string{
			"Where the app runs: install or update the package ca-certificates; a slim container image has none. Java, Node.js and Python may have lists of their own.",
			"For a company's own authority: get its root certificate from the administrators and give it to the app (" + give + ").",
			"If {issuer} is a firewall's or a virus scanner's: switch its scanning of mail off, or except {host} from it.",
		}
	case "tls.certificate-self-signed":
		return []string{
			"For a server of your own: get a certificate from a public authority, or give this one to the app as trusted (" + give + ") after comparing its fingerprint.",
			"At a public provider: do not go on; something intercepts the connection.",
		}
	case "tls.chain-incomplete":
		return []string{
			"If you run {host}: configure the full chain (fullchain.pem, not cert.pem), or append the certificate of {missing} behind the server's own in the same file, and reload.",
			"Otherwise tell its operators which certificate is missing: {missing}.",
			"Meanwhile give that certificate to the app as trusted (" + give + ").",
		}
	}
	return nil
}
