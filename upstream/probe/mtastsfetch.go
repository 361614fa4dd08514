package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// The bounds of fetching one policy (RFC 8461, section 3.3, suggests these).
const (
	policyWait   = 5 * time.Second
	maxPolicy    = 64 << 10 // octets of the body
	maxHTTPHead  = 16 << 10
	policyHost   = "mta-sts."
	policyPath   = "/.well-known/mta-sts.txt"
	policyIsText = "text/plain"
)

// fetchPolicy gets the policy of a domain as senders do: over HTTPS, from a
// host that proves its name, and without following redirects.
func (p *Prober) fetchPolicy(ctx context.Context, domain string) (policy, error) {
	wait := min(policyWait, p.options.Timeout)
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	where := url.URL{Scheme: "https", Host: policyHost + domain, Path: policyPath}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return policy{}, err
	}
	response, err := p.httpClient().Do(request)
	if err != nil {
		return policy{}, plainHTTP(where, wait, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return policy{}, fmt.Errorf("%s answers %d", where.String(), response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPolicy+1))
	if err != nil {
		return policy{}, plainHTTP(where, wait, err)
	}
	if len(body) > maxPolicy {
		return policy{}, fmt.Errorf("%s is longer than %d octets", where.String(), maxPolicy)
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != policyIsText {
		return policy{}, fmt.Errorf("%s is %.40q, not text/plain", where.String(), response.Header.Get("Content-Type"))
	}
	got, err := parsePolicy(string(body))
	if err != nil {
		return policy{}, fmt.Errorf("%s: %w", where.String(), err)
	}
	return got, nil
}

// plainHTTP takes off what the library puts around an error, and words the end
// of the time.
func plainHTTP(where url.URL, wait time.Duration, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s gives no answer within %s", where.String(), wait)
	}
	return fmt.Errorf("get %s: %w", where.String(), err)
}

// httpClient finds and reaches hosts as smarthosts are, and follows no
// redirect. It uses no proxy of the environment: what it sees is to be what
// senders see.
func (p *Prober) httpClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialTLSContext:         p.dialHTTPS,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHTTPHead,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dialHTTPS connects to a host and judges its certificate by the roots that
// smarthosts are judged by. Unlike there, nothing makes it go on with a bad
// one.
func (p *Prober) dialHTTPS(ctx context.Context, _, hostPort string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port := p.options.HTTPSPort
	t := upstream.Target{Name: net.JoinHostPort(host, strconv.Itoa(port)), Host: host, Port: port, Mode: upstream.ModeImplicit}
	conn, err := p.options.Connector.Connect(ctx, t, func(session.Entry) {})
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, p.httpsConfig(host))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func (p *Prober) httpsConfig(host string) *tls.Config {
	return &tls.Config{
		ServerName:         host,
		InsecureSkipVerify: true, // VerifyConnection stands in its place, with words for a person
		VerifyConnection: func(cs tls.ConnectionState) error {
			facts := session.TLS{Staple: cs.OCSPResponse}
			for _, c := range cs.PeerCertificates {
				facts.Sent = append(facts.Sent, c.Raw)
			}
			p.options.Connector.Judge(p.options.Now(), host, &facts)
			if !facts.Verified {
				return errors.New(facts.Error)
			}
			return nil
		},
	}
}
