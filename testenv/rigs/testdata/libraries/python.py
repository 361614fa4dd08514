"""Python's smtplib: sends to ADDR and prints what it was refused with."""
import smtplib
import sys

host, port = sys.argv[1].rsplit(":", 1)
with smtplib.SMTP(host, int(port)) as smtp:
    try:
        smtp.sendmail("a@example.com", [sys.argv[2]], "Subject: x\r\n\r\nx\r\n")
    except smtplib.SMTPRecipientsRefused as e:
        code, text = e.recipients[sys.argv[2]]
        print(code, text.decode())
