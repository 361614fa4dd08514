package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// OverviewPage sums up what happened within a span of time. Each number leads
// to its sessions.
func (s *Site) OverviewPage() []endpoint {
	return []endpoint{{"GET /overview", s.overview}}
}

// overviewSpan is a length of time that the overview can show.
type overviewSpan struct {
	Name    string // as the address has it
	Label   string
	Length  time.Duration
	columns int
}

func overviewSpans() []overviewSpan {
	return []overviewSpan{
		{"1h", "1 hour", time.Hour, 60},
		{"24h", "24 hours", oneDay, 48},
		{"7d", "7 days", 7 * oneDay, 56},
		{"30d", "30 days", 30 * oneDay, 30},
	}
}

// width is the length of a column.
func (v overviewSpan) width() time.Duration { return v.Length / time.Duration(v.columns) }

// until is the end of the span that holds now: the next whole column, counted
// from midnight.
func (v overviewSpan) until(now time.Time) time.Time {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	return midnight.Add((now.Sub(midnight)/v.width() + 1) * v.width())
}

// overviewBody is what page_overview.html shows.
type overviewBody struct {
	Span      overviewSpan
	Spans     []spanLink
	Upstream  string           // the one that is asked for; empty for all
	Choices   []upstreamChoice // upstreams to choose from
	Sessions  int
	Total     string // the same, written
	Totals    []outcomeTotal
	All       string // link to all sessions of the span
	When      string
	Chart     *columnsChart
	Causes    []causeRow
	MoreCause string // what the list of causes leaves out
	Codes     []codeRow
	Waits     *waitsChart
	Upstreams []upstreamCard
}

// spanLink leads to the same page with another span.
type spanLink struct {
	overviewSpan
	Link    string
	Current bool
}

// upstreamChoice is one of the list of upstreams.
type upstreamChoice struct {
	Name   string
	Chosen bool
}

// outcomeTotal is the sessions of one outcome: the legend of the chart, too.
type outcomeTotal struct {
	badge
	Outcome inspect.Outcome
	N       string
	Share   string
	Link    string
}

func (s *Site) overview(w http.ResponseWriter, r *http.Request) error {
	if s.Store == nil {
		return noRecord()
	}
	span, err := spanOf(r.URL.Query().Get("span"))
	if err != nil {
		return err
	}
	until := span.until(s.Now().In(s.Zone))
	q := store.OverviewQuery{Since: until.Add(-span.Length), Until: until, Columns: span.columns, Upstream: r.URL.Query().Get("upstream")}
	o, err := s.Store.Overview(r.Context(), q)
	if err != nil {
		return err
	}
	v := overviewer{site: s, span: span, query: q, overview: o}
	return s.show(w, r, http.StatusOK, "overview", view{Title: "Overview", Nav: "overview", Body: v.body()})
}

func spanOf(name string) (overviewSpan, error) {
	var names []string
	for _, v := range overviewSpans() {
		if v.Name == name || name == "" && v.Name == "24h" {
			return v, nil
		}
		names = append(names, v.Name)
	}
	return overviewSpan{}, problem{http.StatusBadRequest, "there is no overview of " + visible(name), "choose one of " + strings.Join(names, ", ")}
}

// overviewer words one overview.
type overviewer struct {
	site     *Site
	span     overviewSpan
	query    store.OverviewQuery
	overview store.Overview
}

func (v overviewer) body() *overviewBody {
	o := v.overview
	b := &overviewBody{Span: v.span, Upstream: v.query.Upstream, When: v.when()}
	for _, other := range overviewSpans() {
		b.Spans = append(b.Spans, spanLink{other, overviewLink(other.Name, v.query.Upstream), other.Name == v.span.Name})
	}
	outcomes := map[inspect.Outcome]int{}
	for i := range o.Columns {
		addOutcomes(outcomes, o.Columns[i].Outcomes)
	}
	b.Sessions = sumOutcomes(outcomes)
	b.Total = grouped(b.Sessions)
	b.All = v.link(between(o.Since, o.Until)...)
	for _, outcome := range shownOutcomes(outcomes) {
		b.Totals = append(b.Totals, v.total(outcome, outcomes[outcome], b.Sessions))
	}
	if b.Sessions > 0 {
		b.Chart = columnsOf(o, v.site.Zone, v.link)
	}
	b.Causes, b.MoreCause = v.causes(b.Sessions)
	b.Codes = v.codes()
	b.Waits = waitsOf(o.Waits)
	b.Upstreams = v.upstreams()
	b.Choices = v.choices()
	return b
}

func (v overviewer) when() string {
	since, until := v.overview.Since.In(v.site.Zone), v.overview.Until.In(v.site.Zone)
	if until.After(v.site.Now()) { // the last step of the chart is not over
		return since.Format("Jan 2, 15:04 MST") + " until now"
	}
	return since.Format("Jan 2, 15:04") + " to " + until.Format("Jan 2, 15:04 MST")
}

func (v overviewer) total(outcome inspect.Outcome, n, of int) outcomeTotal {
	return outcomeTotal{
		badge: badgeOf(outcome), Outcome: outcome, N: grouped(n), Share: shareOf(n, of),
		Link: v.link(append(between(v.overview.Since, v.overview.Until), "outcome:"+string(outcome))...),
	}
}

// choices are the upstreams to choose from, the chosen one among them even
// when it has no session in the span. A name that cannot be shown as it is
// would not come back as it is.
func (v overviewer) choices() []upstreamChoice {
	names := []string{}
	for _, u := range v.overview.Upstreams {
		names = append(names, u.Name)
	}
	if !slices.Contains(names, v.query.Upstream) {
		names = append(names, v.query.Upstream)
	}
	var all []upstreamChoice
	for _, name := range names {
		if name != "" && visible(name) == name {
			all = append(all, upstreamChoice{name, name == v.query.Upstream})
		}
	}
	return all
}

// link leads to the sessions that the words of a filter select, of the
// upstream that is shown.
func (v overviewer) link(words ...string) string {
	if v.query.Upstream != "" {
		words = append(words[:len(words):len(words)], filterWord("upstream", v.query.Upstream))
	}
	return sessionsLink(words...)
}

// sessionsLink leads to the list of sessions, filtered. A colon may stand in a
// query as it is (RFC 3986, section 3.4); pages have hundreds of these links.
func sessionsLink(words ...string) string {
	return "/?q=" + strings.NewReplacer("+", "%20", "%3A", ":").Replace(url.QueryEscape(strings.Join(words, " ")))
}

// filterWord writes key:value as a filter reads it, in quotes where it must.
func filterWord(key, value string) string {
	return inspect.Term{Key: key, Value: strings.ToLower(value)}.String()
}

func overviewLink(span, upstream string) string {
	link := "/overview?span=" + span
	if upstream != "" {
		link += "&upstream=" + url.QueryEscape(upstream)
	}
	return link
}
