// Sends the job on stdin with nodemailer, and prints how it ends.
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
  socketTimeout: 20000,
});

transport.sendMail({ envelope: { from: job.from, to: job.to }, raw: { path: job.file } })
  .then((info) => console.log('sent', info.response))
  .catch((err) => {
    console.log(err.code, err.command, err.responseCode, err.message);
    process.exit(1); // else it waits for a timer that it has left
  });
