package testenv_test

import (
	"smtp-proxy/inspect"
	"smtp-proxy/testenv"
)

// dialogue is what an app may rightly say. The greeting, and the handshake on
// its own leg, come before it.
type dialogue struct {
	name    string
	script  string
	outcome inspect.Outcome
}

// dialogues returns every fifth of them, from the nth on, for an app that
// secures its leg so: each meets many settings, and all of them some.
func dialogues(how setting, n int) (all []healthy) {
	begin := "<- 220*\n"
	if how.appTLS == testenv.AppSTARTTLS {
		begin += "-> EHLO app.localhost\n<- 250*\n-> STARTTLS\n<- 220*\n! tls\n"
	}
	for i, d := range rightDialogues() {
		if (i+n)%5 != 0 || d.script == wordless && how.appTLS != testenv.AppPlain {
			continue
		}
		all = append(all, healthy{d.name, testenv.App{Script: begin + d.script}, d.outcome})
	}
	return all
}

// wordless is leaving without a word. Right behind a handshake of the app it
// looks the same as an app that does not like the certificate.
const wordless = "! close"

const (
	hello    = "-> EHLO app.localhost\n<- 250*\n"
	envelope = "-> MAIL FROM:<app@example.com>\n<- 250*\n-> RCPT TO:<user@example.net>\n<- 250*\n"
	message  = "-> DATA\n<- 354*\n=> Subject: hello\\r\\n\\r\\nHello.\\r\\n.\\r\\n\n<- 250*\n"
	bye      = "-> QUIT\n<- 221*\n"
)

func rightDialogues() []dialogue {
	return append(rightMail(), []dialogue{
		{"quit at once", bye, inspect.NoMail},
		{"look and leave", hello + "! close", inspect.NoMail},
		{"connect and leave", wordless, inspect.NoMail},
		{"quit without mail", hello + bye, inspect.NoMail},
		{"questions only", hello + "-> NOOP\n<- 250*\n-> VRFY user@example.net\n<- 252*\n-> RSET\n<- 250*\n" + bye, inspect.NoMail},
		{"EHLO twice", hello + hello + bye, inspect.NoMail},
		{"a transaction called off", hello + envelope + "-> RSET\n<- 250*\n" + bye, inspect.NoMail},
		{"a half-close behind QUIT", hello + envelope + message + "-> QUIT\n! shut\n<- 221*\n", inspect.Delivered},
		{"no wait for the goodbye", hello + envelope + message + "-> QUIT\n! close", inspect.Delivered},
		{"no goodbye", hello + envelope + message + "! close", inspect.Delivered},
		{"no goodbye, but a reset", hello + envelope + message + "! reset", inspect.Delivered},
	}...)
}

func rightMail() []dialogue {
	return []dialogue{
		{"HELO", "-> HELO app.localhost\n<- 250*\n" + envelope + message + bye, inspect.Delivered},
		{"lower case", "-> ehlo app.localhost\n<- 250*\n-> mail from:<app@example.com>\n<- 250*\n-> rcpt to:<user@example.net>\n<- 250*\n-> data\n<- 354*\n=> hello\\r\\n.\\r\\n\n<- 250*\n-> quit\n<- 221*\n", inspect.Delivered},
		{"a blank behind the colon", hello + "-> MAIL FROM: <app@example.com>\n<- 250*\n-> RCPT TO: <user@example.net>\n<- 250*\n" + message + bye, inspect.Delivered},
		{"two transactions", hello + envelope + message + envelope + message + bye, inspect.Delivered},
		{"a new start", hello + envelope + "-> RSET\n<- 250*\n" + envelope + message + bye, inspect.Delivered},
		{"EHLO between two mails", hello + envelope + message + hello + envelope + message + bye, inspect.Delivered},
		{"pipelined", hello + "=> MAIL FROM:<app@example.com>\\r\\nRCPT TO:<user@example.net>\\r\\nRCPT TO:<two@example.net>\\r\\nDATA\\r\\n\n<- 250*\n<- 250*\n<- 250*\n<- 354*\n=> hello\\r\\n.\\r\\nQUIT\\r\\n\n<- 250*\n<- 221*\n", inspect.Delivered},
		{"BDAT", hello + envelope + "=> BDAT 7 LAST\\r\\nhello\\r\\n\n<- 250*\n" + bye, inspect.Delivered},
		{"BDAT in chunks", hello + envelope + "=> BDAT 7\\r\\nhello\\r\\n\n<- 250*\n=> BDAT 3\\r\\n\\0\\r\\n\n<- 250*\n-> BDAT 0 LAST\n<- 250*\n" + bye, inspect.Delivered},
		{"BDAT pipelined", hello + "=> MAIL FROM:<app@example.com>\\r\\nRCPT TO:<user@example.net>\\r\\nBDAT 7 LAST\\r\\nhello\\r\\n\n<- 250*\n<- 250*\n<- 250*\n" + bye, inspect.Delivered},
		{"parameters", hello + "-> MAIL FROM:<app@example.com> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=q1\n<- 250*\n-> RCPT TO:<user@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;user@example.net\n<- 250*\n=> DATA\\r\\n\n<- 354*\n=> Subject: gr\\xc3\\xbc\\xc3\\x9fe\\r\\n\\r\\n\\xfc\\r\\n.\\r\\n\n<- 250*\n" + bye, inspect.Delivered},
		{"SMTPUTF8", hello + "-> MAIL FROM:<b\\xc3\\xbcro@example.com> SMTPUTF8\n<- 250*\n-> RCPT TO:<j\\xc3\\xb6rg@example.net>\n<- 250*\n" + message + bye, inspect.Delivered},
		{"a null sender", hello + "-> MAIL FROM:<>\n<- 250*\n-> RCPT TO:<user@example.net>\n<- 250*\n" + message + bye, inspect.Delivered},
		{"an empty message", hello + envelope + "-> DATA\n<- 354*\n-> .\n<- 250*\n" + bye, inspect.Delivered},
		{"stuffed dots", hello + envelope + "-> DATA\n<- 354*\n=> \\r\\n..\\r\\n...\\r\\n.\\r\\n\n<- 250*\n" + bye, inspect.Delivered},
		{"a bare newline that passes", hello + envelope + "-> DATA\n<- 354*\n=> one\\ntwo\\r\\n.\\r\\n\n<- 250*\n" + bye, inspect.Delivered},
		{"octet by octet", "=> EH\n! pause 1ms\n=> LO app.localhost\\r\n! pause 1ms\n=> \\n\n<- 250*\n" + envelope + "-> DATA\n<- 354*\n=> hello\\r\n! pause 1ms\n=> \\n.\n! pause 1ms\n=> \\r\\n\n<- 250*\n" + bye, inspect.Delivered},
		{"a pause in the middle", hello + "-> MAIL FROM:<app@example.com>\n<- 250*\n! pause 300ms\n-> RCPT TO:<user@example.net>\n<- 250*\n" + message + bye, inspect.Delivered},
		{"an unknown verb on the way", hello + "-> XCLIENT NAME=x\n<- 502*\n" + envelope + message + bye, inspect.Delivered},
		{"another mechanism first", hello + "-> AUTH NTLM\n<- 504*\n-> AUTH PLAIN AGFwcABhYmNkZWZnaGlqa2xtbm9w\n<- 235*\n" + envelope + message + bye, inspect.Delivered},
		{"everything and more", hello + "-> AUTH PLAIN AGFwcABhYmNkZWZnaGlqa2xtbm9w\n<- 235*\n-> NOOP\n<- 250*\n" + envelope + message + envelope + "-> RSET\n<- 250*\n" + envelope + message + bye, inspect.Delivered},
	}
}
