// Delivers the job on stdin with nodemailer and prints a report.
'use strict';

const fs = require('fs');
const nodemailer = require('nodemailer');

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
const cut = job.addr.lastIndexOf(':');

const transport = nodemailer.createTransport({
  host: job.addr.slice(0, cut),
  port: Number(job.addr.slice(cut + 1)),
  name: job.helo,
  secure: job.tls === 'implicit',
  requireTLS: job.tls === 'starttls',
  ignoreTLS: job.tls === 'none',
  tls: job.tls === 'none' ? {} : { ca: fs.readFileSync(job.ca) },
  auth: job.mech ? { user: job.user, pass: job.password } : undefined,
  authMethod: job.mech || undefined,
  socketTimeout: 60000,
});

function print(final, errors) {
  const refused = {};
  for (const e of errors || []) refused[e.recipient] = e.response;
  console.log(JSON.stringify({ final, refused }));
}

transport.sendMail({ envelope: { from: job.from, to: job.to }, raw: { path: job.file } })
  .then((info) => print(info.response, info.rejectedErrors))
  .catch((err) => print(err.response || String(err), err.rejectedErrors))
  .finally(() => transport.close());
