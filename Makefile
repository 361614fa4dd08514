# What a contributor runs. .ci/run is the whole of it, in order.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
RIGS       ?= /tmp/smtp-proxy-rigs

.PHONY: build test race lint fuzz bench rigs ci

build:
	go build -o smtp-proxy ./cmd/smtp-proxy

test:
	go test ./...

race:
	go test -race -shuffle=on ./...

lint:
	test -z "$$(gofmt -l .)"
	go vet ./...
	go run $(STATICCHECK) ./...

fuzz:
	.ci/fuzz 20000

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Real servers and real mail programs; as root on Debian.
rigs:
	testenv/rigs/install $(RIGS)
	SMTP_PROXY_RIGS=$(RIGS) go test -count=1 -tags rigs ./testenv/rigs/...

ci:
	.ci/run
