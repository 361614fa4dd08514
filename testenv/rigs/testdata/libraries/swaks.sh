# swaks: sends to ADDR and prints its transcript.
swaks --server "$1" --from a@example.com --to "$2" 2>&1 || true
