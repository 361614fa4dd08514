"""Sends the job on stdin as programs do with smtplib, and prints how it ends."""
import json
import smtplib
import ssl
import sys

from peer import connect


def sign_in(smtp, job):
    smtp.ehlo_or_helo_if_needed()
    if job["mech"] not in smtp.esmtp_features.get("auth", "").split():
        raise smtplib.SMTPNotSupportedError("no AUTH " + job["mech"])
    smtp.user, smtp.password = job["user"], job["password"]
    smtp.auth(job["mech"], getattr(smtp, "auth_" + job["mech"].lower().replace("-", "_")))


def main():
    job = json.load(sys.stdin)
    with open(job["file"], "rb") as f:
        message = f.read()
    with connect(job) as smtp:
        if job["mech"]:
            sign_in(smtp, job)
        smtp.sendmail(job["from"], job["to"], message)
    print("sent")


try:
    main()
except (smtplib.SMTPException, ssl.SSLError, OSError) as e:
    print(type(e).__name__, e)
    sys.exit(1)
