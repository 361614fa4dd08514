# curl: sends to ADDR and prints its trace of the refusal.
printf 'Subject: x\r\n\r\nx\r\n' |
	curl -sv --url "smtp://$1" --mail-from a@example.com --mail-rcpt "$2" -T - 2>&1 | grep '^<' || true
