"""What the smtplib programs share."""
import smtplib
import ssl


def say(code, text):
    return "%d %s" % (code, text.decode("utf-8", "replace"))


def connect(job):
    host, port = job["addr"].rsplit(":", 1)
    context = ssl.create_default_context(cafile=job["ca"]) if job["tls"] != "none" else None
    if job["tls"] == "implicit":
        return smtplib.SMTP_SSL(host, int(port), local_hostname=job["helo"], timeout=60, context=context)
    smtp = smtplib.SMTP(host, int(port), local_hostname=job["helo"], timeout=60)
    if job["tls"] == "starttls":
        smtp.starttls(context=context)
    return smtp
