package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// connects reports whether an app gets through STARTTLS with a smarthost, to
// the first reply under TLS: it is the direct connection that predictions are
// measured against.
func connects(addr string, app *tls.Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	for _, command := range []string{"", "EHLO app.example", "STARTTLS"} {
		if err := says(conn, r, command); err != nil {
			return err
		}
	}
	secure := tls.Client(conn, app)
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	return says(secure, bufio.NewReader(secure), "EHLO app.example")
}

// says sends a command, if there is one, and reads a reply of 2xx.
func says(conn net.Conn, r *bufio.Reader, command string) error {
	if command != "" {
		if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
			return err
		}
	}
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return err
		case !strings.HasPrefix(line, "2"):
			return errors.New(line)
		case len(line) > 3 && line[3] == ' ':
			return nil
		}
	}
}
