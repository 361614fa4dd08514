package web

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"smtp-proxy/inspect"
)

// contained says what a browser may do with content of a message: show it, in
// a frame of this site, and nothing else. With sandbox it has no origin, runs
// nothing, submits nothing and leads nowhere by itself; the only images are
// those that stand in it.
func contained(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("X-DNS-Prefetch-Control", "off")
}

// message opens the message that an address names.
func (s *Site) message(r *http.Request) (*inspect.Session, io.ReadCloser, int, error) {
	v, err := s.recorded(r)
	if err != nil {
		return nil, nil, 0, err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return nil, nil, 0, problem{http.StatusNotFound, "messages have numbers", "the first one is " + sessionAddress(v.ID) + "/messages/1"}
	}
	body, err := s.original(r.Context(), v, n)
	return v, body, n, err
}

// messageSource sends a message as the app composed it, to be read or saved.
func (s *Site) messageSource(w http.ResponseWriter, r *http.Request) error {
	v, body, n, err := s.message(r)
	if err != nil {
		return err
	}
	defer body.Close()
	contained(w.Header())
	if r.URL.Query().Has("download") {
		w.Header().Set("Content-Type", "message/rfc822")
		w.Header().Set("Content-Disposition", disposition("attachment", v.ID+"-"+strconv.Itoa(n)+".eml"))
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_, err = io.Copy(passedTo(w), body)
	return s.sent(err)
}

// sent reports what went wrong behind the first octet, when it is too late for
// a page about it.
func (s *Site) sent(err error) error {
	if err != nil {
		s.Log.Debug().Err(err).Msg("a message was not sent whole")
	}
	return nil
}

// messagePart sends one part. Only images that a browser draws have a type of
// their own; all else is there to be saved.
func (s *Site) messagePart(w http.ResponseWriter, r *http.Request) error {
	_, body, _, err := s.message(r)
	if err != nil {
		return err
	}
	defer body.Close()
	k, _ := strconv.Atoi(r.PathValue("k"))
	found := false
	walk := walker{visit: func(p *part, content io.Reader) error {
		if p.Number != k {
			return nil
		}
		found = true
		contained(w.Header())
		how, kind := "attachment", "application/octet-stream"
		if raster(p.Type) {
			how, kind = "inline", p.Type
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Disposition", disposition(how, p.fileName()))
		_, err := io.Copy(passedTo(w), content)
		return errors.Join(errEnough, s.sent(err))
	}}
	if _, err := walk.walk(body); err != nil || found {
		return err
	}
	return problem{http.StatusNotFound, "the message has no part " + visible(r.PathValue("k")), "download the whole of it"}
}

// messageHTML sends the HTML of a message for its frame: ?part=N, else the
// first.
func (s *Site) messageHTML(w http.ResponseWriter, r *http.Request) error {
	v, body, n, err := s.message(r)
	if err != nil {
		return err
	}
	defer body.Close()
	wanted, _ := strconv.Atoi(r.URL.Query().Get("part"))
	text, found, err := htmlOf(body, wanted)
	if err != nil {
		return err
	}
	if !found {
		return problem{http.StatusNotFound, "message " + strconv.Itoa(n) + " has no such HTML part", "see its parts at " + sessionAddress(v.ID) + "/messages"}
	}
	contained(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// All of it has to be taken in time: others wait for the place.
	if err = allow(http.NewResponseController(w)); err == nil {
		_, err = io.WriteString(w, text)
	}
	return s.sent(err)
}

// htmlOf reads an HTML part, with the images of the message that it shows.
func htmlOf(body io.Reader, wanted int) (text string, found bool, err error) {
	images, room := map[string]string{}, mostImages
	walk := walker{visit: func(p *part, content io.Reader) error {
		switch {
		case p.Type == "text/html" && !p.File && !found && (wanted == 0 || wanted == p.Number):
			text, _ = p.read(content, mostText)
			found = true
		case p.CID != "" && raster(p.Type):
			if address := dataAddress(p.Type, content, room); address != "" {
				images[p.CID] = address
				room -= len(address)
			}
		}
		return nil
	}}
	_, err = walk.walk(body)
	if found {
		text, _ = framedHTML(text, images)
	}
	return text, found, err
}

// dataAddress is an image as an address, or nothing when it is too large.
func dataAddress(kind string, content io.Reader, room int) string {
	var b strings.Builder
	b.WriteString("data:" + kind + ";base64,")
	e := base64.NewEncoder(base64.StdEncoding, &b)
	n, err := io.Copy(e, io.LimitReader(content, int64(max(room, 0))*3/4))
	if e.Close() != nil || err != nil || n >= int64(max(room, 0))*3/4 {
		return ""
	}
	return b.String()
}
