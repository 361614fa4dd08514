package testenv

import (
	"errors"
	"net/http"
)

// issuerPath is where an authority here publishes its intermediate.
const issuerPath = "/intermediate.crt"

// Publish serves the intermediate's certificate over HTTP, as public
// authorities do, on a free port of 127.0.0.1. The leaves that are made from
// now on without it name the place (RFC 5280, section 4.2.2.1). The caller ends it.
func (ca *CA) Publish() (end func() error, err error) {
	ln, err := listenLoopback("")
	if err != nil {
		return nil, err
	}
	ca.issuer = "http://" + ln.Addr().String() + issuerPath
	site := &http.Server{Handler: http.HandlerFunc(ca.serve)}
	ended := make(chan error, 1)
	go func() { ended <- site.Serve(ln) }()
	return func() error {
		err := site.Close()
		if why := <-ended; !errors.Is(why, http.ErrServerClosed) {
			err = errors.Join(err, why)
		}
		return err
	}, nil
}

func (ca *CA) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != issuerPath {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	_, _ = w.Write(ca.intermediate.cert.Raw)
}
