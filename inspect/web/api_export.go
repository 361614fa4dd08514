package web

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	"smtp-proxy/inspect/store"
)

// ExportAPI writes sessions for other programs.
func (s *Site) ExportAPI() []endpoint {
	return []endpoint{{"GET /api/v1/sessions/{id}/export/{format}", s.apiExport}}
}

// mostMessages is the greatest number by which a message may be named.
const mostMessages = 1 << 30

func (s *Site) apiExport(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "message", "anonymize")
	if err != nil {
		return err
	}
	n, err := q.number("message", 0, 1, mostMessages)
	if err != nil {
		return err
	}
	anonymize, err := q.yes("anonymize")
	if err != nil {
		return err
	}
	f, err := s.format(r.PathValue("format"))
	if err != nil {
		return err
	}
	if _, err := agreed(r, f.Type); err != nil {
		return err
	}
	v, err := s.asked(r)
	if err != nil {
		return err
	}
	out := &exported{passed: passed{w: w, control: http.NewResponseController(w)}, begin: func() { saved(w.Header(), f, v.ID) }, head: r.Method == http.MethodHead}
	err = s.Exporter.Export(r.Context(), out, ExportRequest{Session: v.ID, Format: f.Name, Message: n, Anonymize: anonymize})
	switch {
	case err == nil || r.Context().Err() != nil || out.head && out.some:
		return nil
	case out.some:
		s.Log.Debug().Err(err).Str("session", v.ID).Msg("an export was not handed out whole")
		return out.abort()
	}
	return unexported(err)
}

// format finds a format by its name.
func (s *Site) format(name string) (Format, error) {
	if s.Exporter == nil {
		return Format{}, lacking("nothing is exported here", "use smtp-proxy export on the command line")
	}
	var names []string
	all := s.Exporter.Formats()
	for _, f := range all {
		names = append(names, f.Name)
	}
	if i := slices.Index(names, name); i >= 0 {
		return all[i], nil
	}
	return Format{}, problem{http.StatusNotFound, "there is no format " + visible(name), "there are " + strings.Join(names, ", ")}
}

// exported is an answer whose header waits for its first octet: until then it
// may become an error.
type exported struct {
	passed
	begin func()
	head  bool // only the header is wanted
}

var errHead = errors.New("only the header is wanted")

func (e *exported) Write(b []byte) (int, error) {
	if !e.some {
		e.begin()
	}
	if e.some = true; e.head {
		return 0, errHead
	}
	return e.passed.Write(b)
}

// saved has a browser save what comes, whatever is in it.
func saved(h http.Header, f Format, id string) {
	h.Set("Content-Type", f.Type)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": id + f.File}))
}

// unexported words why there is no export.
func unexported(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrAmbiguous), errors.As(err, new(problem)):
		return err
	case errors.Is(err, store.ErrNoBody):
		return problem{http.StatusNotFound, visible(err.Error()), "--capture none was set, or retention (--keep, --keep-size) has removed it"}
	}
	return problem{http.StatusConflict, visible(err.Error()), "choose another format, or another message"}
}
