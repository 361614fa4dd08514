"""Delivers the job on stdin in BDAT chunks (RFC 3030) and prints a report.

The chunks end in the middle of lines, and all but the first go out before the
reply to the one before has come, as RFC 2920 allows.
"""
import json
import sys

from peer import connect, say


def chunks(data):
    size = max(7, len(data) // 5 + 1)
    return [data[i:i + size] for i in range(0, len(data), size)]


def send(smtp, data):
    parts = chunks(data)
    for i, part in enumerate(parts):
        last = " LAST" if i == len(parts) - 1 else ""
        smtp.send(b"BDAT %d%s\r\n" % (len(part), last.encode()) + part)
    for _ in parts:
        final = smtp.getreply()
        if final[0] != 250:
            break
    return final


def main():
    job = json.load(sys.stdin)
    smtp = connect(job)
    smtp.ehlo()
    if not smtp.has_extn("chunking"):
        sys.exit("CHUNKING is not offered: " + str(smtp.esmtp_features))
    final = smtp.mail(job["from"], ["BODY=8BITMIME"])
    refused = {}
    for to in job["to"]:
        final = smtp.rcpt(to)
        if final[0] != 250:
            refused[to] = say(*final)
    if len(refused) < len(job["to"]):
        with open(job["file"], "rb") as f:
            final = send(smtp, f.read())
    smtp.quit()
    print(json.dumps({"final": say(*final), "refused": refused}))


main()
