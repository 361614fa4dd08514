"""Delivers the job on stdin with smtplib and prints a report."""
import json
import smtplib
import sys

from peer import connect, say


def sign_in(smtp, job):
    smtp.ehlo_or_helo_if_needed()
    smtp.user, smtp.password = job["user"], job["password"]
    method = getattr(smtp, "auth_" + job["mech"].lower().replace("-", "_"))
    smtp.auth(job["mech"], method)


def deliver(smtp, job):
    refused = {}
    smtp.ehlo_or_helo_if_needed()
    final = smtp.mail(job["from"], ["BODY=8BITMIME"])
    for to in job["to"] if final[0] == 250 else []:
        final = smtp.rcpt(to)
        if final[0] // 100 != 2:
            refused[to] = say(*final)
    if final[0] // 100 == 2 or len(refused) < len(job["to"]):
        with open(job["file"], "rb") as f:
            final = smtp.data(f.read())
    return {"final": say(*final), "refused": refused}


def main():
    job = json.load(sys.stdin)
    smtp = connect(job)
    try:
        if job["mech"]:
            sign_in(smtp, job)
        report = deliver(smtp, job)
    except smtplib.SMTPResponseException as e:
        report = {"final": say(e.smtp_code, e.smtp_error), "refused": {}}
    smtp.quit()
    print(json.dumps(report))


main()
