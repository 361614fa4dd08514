# The image holds one static binary, the public roots, an empty data directory
# and nothing to log in with.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/smtp-proxy ./cmd/smtp-proxy
RUN install -d -m 0700 /out/data && install -d -m 1777 /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/smtp-proxy /usr/local/bin/smtp-proxy
COPY --from=build /out/tmp /tmp
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV SMTP_PROXY_DATA=/data
VOLUME /data
# 1025 is where apps connect, 8025 the page and the health checks.
EXPOSE 1025 8025
ENTRYPOINT ["/usr/local/bin/smtp-proxy"]
CMD ["--help"]
