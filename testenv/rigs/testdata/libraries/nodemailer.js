// nodemailer: sends to ADDR and prints what it was refused with.
const [host, port] = process.argv[2].split(':')
require('nodemailer').createTransport({host, port, ignoreTLS: true})
  .sendMail({from: 'a@example.com', to: process.argv[3], subject: 'x', text: 'x'})
  .then(() => console.log('sent'), e => console.log(e.responseCode, e.response))
