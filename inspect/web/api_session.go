package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"smtp-proxy/inspect"
)

// SessionAPI hands out one session: whole, as text, and its messages. The id
// may be a prefix that only one has, latest, or latest-failed.
func (s *Site) SessionAPI() []endpoint {
	return []endpoint{
		{"GET /api/v1/sessions/{id}", s.inTurn(s.apiSession)},
		{"GET /api/v1/sessions/{id}/raw", s.inTurn(s.apiRaw)},
		{"GET /api/v1/sessions/{id}/messages/{n}", s.apiMessage},
	}
}

// asked reads the session that an address names.
func (s *Site) asked(r *http.Request) (*inspect.Session, error) {
	if s.Store == nil {
		return nil, noRecord()
	}
	return s.Store.Session(r.Context(), r.PathValue("id"))
}

// plainly checks a request that takes no parameters and gets one type.
func plainly(r *http.Request, kind string) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	_, err := agreed(r, kind)
	return err
}

func (s *Site) apiSession(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeJSON); err != nil {
		return err
	}
	v, err := s.asked(r)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, v)
}

func (s *Site) apiRaw(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeText); err != nil {
		return err
	}
	v, err := s.asked(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	writeRaw(&b, v)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	return sendAll(w, b.Bytes())
}

// apiMessage hands out a message for a mail program or a file. A browser must
// not show it: it may hold anything.
func (s *Site) apiMessage(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeMessage); err != nil {
		return err
	}
	v, err := s.asked(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return problem{http.StatusNotFound, "a message is named by its number", "the first one of the session is 1"}
	}
	body, err := s.original(r.Context(), v, n)
	if err != nil {
		return err
	}
	defer body.Close()
	name := map[string]string{"filename": v.ID + "-" + strconv.Itoa(n) + ".eml"}
	w.Header().Set("Content-Type", typeMessage)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", name))
	if r.Method == http.MethodHead {
		return nil
	}
	out := passedTo(w)
	_, err = io.Copy(out, body)
	if err != nil && out.some {
		s.Log.Debug().Err(err).Str("session", v.ID).Msg("a message was not handed out whole")
		return out.abort()
	}
	return err
}

// typeMessage is what a message is (RFC 2046, section 5.2.1).
const typeMessage = "message/rfc822"

// passed is an answer of any length. Its reader may take what time it needs,
// as long as it takes something.
type passed struct {
	w       io.Writer
	control *http.ResponseController
	some    bool
}

func passedTo(w http.ResponseWriter) *passed {
	return &passed{w: w, control: http.NewResponseController(w)}
}

func (p *passed) Write(b []byte) (int, error) {
	p.some = true
	if err := allow(p.control); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// abort breaks the connection off: the only way to say, behind the status,
// that what came is not all.
func (p *passed) abort() error {
	c, _, err := p.control.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Close()
}
