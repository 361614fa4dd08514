package probe

import (
	"fmt"
	"os"
	"path/filepath"

	"smtp-proxy/upstream"
)

// proberFor returns one that reaches smarthosts as the settings say; done ends
// it.
func (s *search) proberFor(next settings) (p *Prober, done func(), err error) {
	done = func() {}
	if !next.addr.IsValid() && next.resolver == "" && next.trusts == "" {
		return s.prober, done, nil
	}
	reach := s.want.Reach
	switch next.resolver {
	case "":
	case systemResolver:
		reach.Resolver = ""
	default:
		reach.Resolver = next.resolver
	}
	if next.trusts != "" {
		reach.Insecure = true // for a trial, which has no secret to lose
	}
	if next.addr.IsValid() {
		if reach.HostsFile, done, err = hostsFile(next); err != nil {
			return nil, done, err
		}
	}
	o := s.prober.options
	o.Beside = s.prober
	if o.Connector, err = upstream.New(reach); err != nil {
		done()
		return nil, done, fmt.Errorf("ask %s: %w", next.resolver, err)
	}
	return New(o), done, nil
}

// hostsFile writes the one line that binds the host to its address: the file
// that the change would be made in.
func hostsFile(next settings) (path string, done func(), err error) {
	dir, err := os.MkdirTemp("", "smtp-proxy-hosts-")
	if err != nil {
		return "", func() {}, fmt.Errorf("bind %s to %s: %w", next.target.Host, next.addr, err)
	}
	done = func() { _ = os.RemoveAll(dir) } // what is left holds two public words
	path = filepath.Join(dir, "hosts")
	if err := os.WriteFile(path, []byte(hostsLine(next)+"\n"), 0o600); err != nil {
		done()
		return "", func() {}, fmt.Errorf("bind %s to %s: %w", next.target.Host, next.addr, err)
	}
	return path, done, nil
}

func hostsLine(next settings) string { return next.addr.String() + " " + next.target.Host }
