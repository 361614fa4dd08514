# Perl's Net::SMTP: sends to ADDR and prints what it was refused with.
use strict;
use Net::SMTP;
my ($host, $port) = split /:/, $ARGV[0];
my $smtp = Net::SMTP->new($host, Port => $port) or die "connect: $@";
$smtp->mail('a@example.com');
$smtp->to($ARGV[1]);
print $smtp->code, ' ', $smtp->message;
$smtp->quit;
