package web

import (
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"strconv"
)

// ExportPage hands out a session as a file, by the button of its page. What can
// be read is shown, what is for a program is saved.
func (s *Site) ExportPage() []endpoint {
	return []endpoint{{"GET /sessions/{id}/export/{format}", s.export}}
}

func (s *Site) export(w http.ResponseWriter, r *http.Request) error {
	f, err := s.format(r.PathValue("format"))
	if err != nil {
		return err
	}
	request, err := exportRequest(r, f)
	if err != nil {
		return err
	}
	v, err := s.asked(r)
	if err != nil {
		return err
	}
	request.Session = v.ID
	begin, err := exportHeader(w.Header(), f, request)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		begin()
		return nil
	}
	out := &exported{passed: passed{w: w, control: http.NewResponseController(w)}, begin: begin}
	err = s.Exporter.Export(r.Context(), out, request)
	switch {
	case err == nil || r.Context().Err() != nil:
		return nil
	case out.some:
		s.Log.Debug().Err(err).Str("session", v.ID).Msg("an export was not handed out whole")
		return out.abort()
	}
	return unexported(err)
}

// exportRequest reads which message is meant, and whether of stand-ins.
func exportRequest(r *http.Request, f Format) (ExportRequest, error) {
	q := r.URL.Query()
	out := ExportRequest{Format: f.Name, Anonymize: q.Get("anonymize") == "1"}
	if text := q.Get("message"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostMessages {
			return out, problem{http.StatusBadRequest, "there is no message " + visible(text), "give its number: the first is 1"}
		}
		out.Message = n
	}
	return out, nil
}

// exportHeader returns what words the header of a file once it is known to
// come. A name is made of an id of the record and of numbers only.
func exportHeader(h http.Header, f Format, r ExportRequest) (begin func(), err error) {
	name, policy := r.Session, ""
	if r.Message > 0 && f.Message {
		name += "-" + strconv.Itoa(r.Message)
	}
	if r.Anonymize {
		name += "-anonymized"
	}
	if f.Type == "text/html; charset=utf-8" {
		if policy, err = reportPolicy(); err != nil {
			return nil, err
		}
	}
	how := "attachment"
	if f.Shown {
		how = "inline"
	}
	return func() {
		h.Set("Content-Type", f.Type)
		h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": name + f.File}))
		if policy != "" {
			h.Set("Content-Security-Policy", policy)
		}
	}, nil
}

// reportPolicy lets a browser use the style that stands in a report, by its
// hash, and nothing else: the policy of the other pages forbids that, too.
func reportPolicy() (string, error) {
	style, err := files.ReadFile("static/style.css")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nil
}
