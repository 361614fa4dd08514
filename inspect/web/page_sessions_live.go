package web

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"smtp-proxy/inspect"
)

// countsEvery is the least time between counts on a stream.
const countsEvery = 3 * time.Second

// streamAddress is where a page hears of what came behind a block.
func streamAddress(filter string, after int64) string {
	q := url.Values{"after": {strconv.FormatInt(after, 10)}}
	if filter != "" {
		q.Set("q", filter)
	}
	return "/live?" + q.Encode()
}

// live is the stream of a page. Its events: rows (the sessions that changed, a
// table row a line), gone (ids that the filter does not select any more),
// missed (how many were left out), counts (the facets).
func (s *Site) live(w http.ResponseWriter, r *http.Request) error {
	if s.Store == nil {
		return noRecord()
	}
	f, err := filterOf(r.URL.Query().Get("q"))
	if err != nil {
		return problem{http.StatusBadRequest, err.Error(), "correct the filter"}
	}
	if r.Method == http.MethodHead { // there is no end to wait for
		w.Header().Set("Content-Type", eventStream)
		return nil
	}
	p := &livePage{site: s, filter: f, ctx: r.Context()}
	return s.follow(w, r, f, p.told)
}

// livePage is one page that is followed.
type livePage struct {
	site   *Site
	filter inspect.Filter
	ctx    context.Context // of the request: it lives as long as the page is followed
	heard  time.Time       // of the last change
}

func (p *livePage) told(out *stream, b batch) {
	p.heard = time.Now()
	p.site.tellPage(out, b)
	out.later(countsEvery, p.counts)
}

// counts adds the facets, and once more when they were counted before the last
// change.
func (p *livePage) counts(out *stream) {
	counts := p.site.facetsOf(p.ctx, p.filter)
	if counts.Late {
		return
	}
	var b bytes.Buffer
	if err := p.site.templates["sessions"].ExecuteTemplate(&b, "session-facets", counts); err != nil {
		p.site.Log.Warn().Err(err).Msg("the counts of the page could not be written")
		return
	}
	out.event("counts", b.Bytes())
	if counts.at.Before(p.heard) {
		out.later(countsEvery, p.counts)
	}
}

// tellPage adds a batch as a page reads it. The number of the block comes with
// the last event of it: who leaves in between hears all of it again.
func (s *Site) tellPage(out *stream, b batch) {
	if len(b.gone) > 0 {
		var ids [][]byte
		for _, id := range b.gone {
			ids = append(ids, []byte(id))
		}
		out.event("gone", ids...)
	}
	var rows [][]byte
	for _, c := range b.changes {
		if row := s.rowHTML(c); row != nil {
			rows = append(rows, row)
		}
	}
	if len(rows) > 0 {
		out.event("rows", rows...)
	}
	out.id(b.last)
	out.event("missed", strconv.AppendInt(nil, int64(b.missed), 10))
}

// rowHTML renders a change once for all pages.
func (s *Site) rowHTML(c *change) []byte {
	c.rendering.Do(func() {
		var b bytes.Buffer
		if err := s.templates["sessions"].ExecuteTemplate(&b, "session-row", s.rowOf(c.Session)); err != nil {
			s.Log.Warn().Err(err).Msg("a row of the page could not be written")
			return
		}
		c.row = b.Bytes()
	})
	return c.row
}
