# Ruby's net/smtp: sends to ADDR and prints what it was refused with.
require 'net/smtp'
host, port = ARGV[0].split(':')
begin
  Net::SMTP.start(host, port.to_i, starttls: false) { |s| s.send_message("Subject: x\r\n\r\nx\r\n", 'a@example.com', ARGV[1]) }
rescue Net::ProtoFatalError, Net::SMTPFatalError => e
  puts e.respond_to?(:response) && e.response ? e.response.string : e.message
end
