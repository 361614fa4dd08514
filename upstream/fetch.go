package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// The bounds of fetching one certificate.
const (
	maxFetched   = 64 << 10 // octets of the answer's body
	maxHeader    = 16 << 10 // octets of its header
	maxURL       = 1024
	maxRedirects = 3
	maxDials     = 3 // addresses of one name
	dialTimeout  = time.Second
)

// fetchIssuer gets what is published at a URL that a certificate names. The
// certificate comes from a peer that nobody has verified, so the URL may name
// anything: only plain HTTP is spoken (what is fetched is signed, and a check
// of the fetching's own TLS would begin this anew), no proxy of the
// environment is used, and each address is judged when it is dialled.
func (c *Connector) fetchIssuer(ctx context.Context, address string, near netip.Addr) ([]*x509.Certificate, error) {
	u, err := url.Parse(address)
	if err == nil {
		err = fetchable(u)
	}
	if err != nil {
		return nil, plainURL(err)
	}
	client := c.fetcher(near)
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, plainURL(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, plainURL(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxFetched+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxFetched {
		return nil, fmt.Errorf("more than %d octets, which no certificate needs", maxFetched)
	}
	return parsePublished(body)
}

// plainURL takes off what url.Error puts around: the URL is told by the
// caller, bounded.
func plainURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// shownURL is a URL fit for a record: bounded, and without a password.
func shownURL(address string) string {
	if u, err := url.Parse(address); err == nil {
		return fmt.Sprintf("%.200s", u.Redacted())
	}
	return fmt.Sprintf("%.40q", address)
}

// fetcher speaks HTTP for one repair.
func (c *Connector) fetcher(near netip.Addr) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, hostPort string) (net.Conn, error) {
				return c.dialPublic(ctx, hostPort, near)
			},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > maxRedirects {
				return fmt.Errorf("redirected more than %d times", maxRedirects)
			}
			return fetchable(next.URL)
		},
	}
}

// fetchable refuses URLs that are not asked: anything but plain HTTP, those
// with a user or an undue length, and the ports of other services, to which a
// request could mean something else.
func fetchable(u *url.URL) error {
	port := 80
	if digits := u.Port(); digits != "" {
		port, _ = strconv.Atoi(digits)
	}
	switch {
	case u.Scheme != "http":
		return fmt.Errorf("only http is asked for certificates, not %.20q", u.Scheme)
	case u.User != nil || u.Host == "" || len(u.String()) > maxURL:
		return errors.New("not a URL at which certificates are published")
	case port != 80 && port < 1024:
		return fmt.Errorf("port %d is another service's", port)
	}
	return nil
}

// dialPublic looks a name up and connects to an address of it that may be
// asked. The address judged is the one dialled, so that a name server cannot
// give one to the check and another to the connection.
func (c *Connector) dialPublic(ctx context.Context, hostPort string, near netip.Addr) (net.Conn, error) {
	host, digits, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := parsePort(digits)
	if err != nil {
		return nil, err
	}
	addrs, err := c.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	q := newQueue(c.routable)
	q.add(addrs)
	for range maxDials {
		if q.empty() {
			break
		}
		addr := q.next()
		if err = askable(addr, near); err != nil {
			continue
		}
		var conn net.Conn
		if conn, err = c.dialBriefly(ctx, netip.AddrPortFrom(addr, uint16(port))); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// dialBriefly leaves time for another address.
func (c *Connector) dialBriefly(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := c.dialUnlessOwn(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %s", addr, faultWords(Classify(opDial, err), dialTimeout))
	}
	return conn, nil
}

// addresses looks a name up as a smarthost's is looked up.
func (c *Connector) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	host, err := parseHost(host)
	if err != nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	answers := make(chan answer)
	go c.resolver.stream(ctx, host, answers)
	var addrs []netip.Addr
	trouble := errors.New("look up " + host + ": no answer")
	for a := range answers { // the resolver writes until it has seen the end of ctx
		addrs = append(addrs, a.addrs...)
		if a.fault != nil {
			trouble = errors.New("look up " + a.text)
		}
	}
	if len(addrs) == 0 {
		return nil, trouble
	}
	return addrs, nil
}
