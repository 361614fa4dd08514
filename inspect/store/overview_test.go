package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// TestOverview holds overviews of many spans against the sessions, one by one.
func TestOverview(t *testing.T) {
	l := &life{t: t, r: rand.New(rand.NewPCG(7, 7)), dir: newDir(t), now: start}
	l.open()
	for range 15 {
		l.flush()
	}
	q, done := make(queue), make(chan error, 1)
	go func() { done <- hasty(l.s, quiet()).Run(t.Context(), q) }()
	q <- slices.Concat(l.records()[:3], l.records()[:5], l.records()[:4]) // three that are open
	q <- nil
	l.still = true
	zone := time.FixedZone("", 5*3600+1800)
	for _, test := range []struct {
		length, within time.Duration
		columns        int
		zone           *time.Location
		exact          bool // whole slots: it is shown as asked for
	}{
		{time.Hour, time.Minute, 60, time.UTC, true},
		{24 * time.Hour, 30 * time.Minute, 48, zone, true},
		{7 * 24 * time.Hour, 3 * time.Hour, 56, time.UTC, true},
		{30 * 24 * time.Hour, 24 * time.Hour, 30, time.UTC, true},
		{30 * 24 * time.Hour, 30 * time.Minute, 30, zone, false},
		{24 * time.Hour, time.Second, 60, time.UTC, false},
		{50 * time.Minute, time.Nanosecond, 7, time.UTC, false},
		{3 * time.Second, time.Second, 0, time.UTC, false},
		{400 * 24 * time.Hour, time.Second, 500, time.UTC, false},
	} {
		until := l.now.Truncate(test.within).Add(test.within).In(test.zone)
		for _, upstream := range []string{"", "a.example:25", "nobody:25"} {
			ask := OverviewQuery{until.Add(-test.length), until, test.columns, upstream}
			o, err := l.s.Overview(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			checkOverview(t, l.s, ask, &o, test.exact)
		}
	}
	close(q)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// checkOverview makes the overview again from the sessions.
func checkOverview(t *testing.T, s *Store, ask OverviewQuery, o *Overview, exact bool) {
	t.Helper()
	about := fmt.Sprintf("%s to %s by %s of %+v", o.Since, o.Until, o.Width, ask)
	whole := o.Since.Equal(ask.Since) && o.Until.Equal(ask.Until) && len(o.Columns) == ask.Columns
	switch {
	case o.Since.After(ask.Since), o.Until.Before(ask.Until), o.Until.Sub(o.Since) != o.Width*time.Duration(len(o.Columns)), exact && !whole:
		t.Errorf("%s, %d columns: want whole columns that hold what is asked for, and no others when these are whole slots", about, len(o.Columns))
	case !o.Columns[0].At.Equal(o.Since), o.Columns[0].At.Location() != ask.Since.Location():
		t.Errorf("%s: the first column is at %s", about, o.Columns[0].At)
	}
	want := naive(t, s, ask, o)
	got := Overview{Columns: o.Columns, Causes: o.Causes, Codes: o.Codes}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\ngot  %s\nwant %s", about, g, w)
	}
	checkUpstreams(t, about, ask, o)
}

// naive counts the sessions of an overview's span one by one.
func naive(t *testing.T, s *Store, ask OverviewQuery, o *Overview) Overview {
	t.Helper()
	n := &onebyone{o: o, causes: map[string]int{}, codes: map[string]int{}, trends: map[string]*CauseTrend{}}
	for i := range o.Columns {
		n.want.Columns = append(n.want.Columns, Column{o.Columns[i].At, map[inspect.Outcome]int{}})
	}
	err := s.Sessions(t.Context(), inspect.Filter{}, 0, func(v *inspect.Session) error {
		if ask.Upstream == "" || v.Upstream.Name == ask.Upstream {
			n.count(v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range ranked(n.causes) {
		n.want.Causes = append(n.want.Causes, *n.trends[c.Cause])
	}
	for _, c := range ranked(n.codes) {
		n.want.Codes = append(n.want.Codes, CodeCount{c.Cause, c.N})
	}
	return n.want
}

// onebyone is an overview made of sessions.
type onebyone struct {
	o             *Overview
	want          Overview
	causes, codes map[string]int
	trends        map[string]*CauseTrend
}

func (n *onebyone) count(v *inspect.Session) {
	length := n.o.Until.Sub(n.o.Since)
	since := v.Started.Sub(n.o.Since)
	if since < -length || since >= length {
		return
	}
	i := int(since / n.o.Width)
	if since >= 0 {
		n.want.Columns[i].Outcomes[v.Outcome]++
	}
	if v.Ended.IsZero() {
		return
	}
	found := map[string]bool{}
	for f := range v.Findings {
		found[v.Findings[f].Cause] = true
	}
	for cause := range found {
		c := n.trends[cause]
		if c == nil {
			c = &CauseTrend{Cause: cause, Counts: make([]int, len(n.o.Columns))}
			n.trends[cause] = c
		}
		if since < 0 {
			c.Before++
			continue
		}
		n.causes[cause]++
		c.N++
		c.Counts[i]++
	}
	for _, code := range v.Codes {
		if since >= 0 {
			n.codes[code]++
		}
	}
}

// checkUpstreams adds the upstreams up to the columns, the open ones left out.
func checkUpstreams(t *testing.T, about string, ask OverviewQuery, o *Overview) {
	t.Helper()
	columns, upstreams := map[inspect.Outcome]int{}, map[inspect.Outcome]int{}
	for i := range o.Columns {
		for outcome, n := range o.Columns[i].Outcomes {
			columns[outcome] += n
		}
	}
	delete(columns, inspect.Open)
	sessions := 0
	for _, u := range append(o.Upstreams, o.Others) {
		for outcome, n := range u.Outcomes {
			upstreams[outcome] += n
			sessions -= n
		}
		sessions += u.Sessions
	}
	if !maps.Equal(columns, upstreams) || sessions != 0 {
		t.Errorf("%s: the columns have %v, the upstreams %v; want the same", about, columns, upstreams)
	}
	if ask.Upstream != "" && (len(o.Upstreams) != 1 || o.Upstreams[0].Name != ask.Upstream) {
		t.Errorf("%s: upstreams %+v, want the one that is asked for", about, o.Upstreams)
	}
}

// TestOverviewUpstreams finds the latest sessions of an upstream, and what they
// show.
func TestOverviewUpstreams(t *testing.T) {
	now := start.Add(time.Hour)
	s := openStore(t, newDir(t), Options{Now: func() time.Time { return now }})
	handshake := chain()
	good := delivered("01GOOD", start.Add(time.Minute), "a@b", "c@d", "text\r\n")
	good = append(good, shake(good, handshake))
	bad := refused("01BAD", start.Add(2*time.Minute), "x@y", "550 5.1.1 no")
	flawed := delivered("01FLAW", start.Add(3*time.Minute), "a@b", "c@d", "text\r\n")
	flawed[0].Session.Upstream = "flawed.example:25"
	var rest [][]session.Record
	for i := range 25 {
		r := refused(fmt.Sprintf("01X%d", i), start, "x@y", "421 4.3.2 no")
		r[0].Session.Upstream = fmt.Sprintf("%d.example:25", i)
		rest = append(rest, r)
	}
	annotate := func(v *inspect.Session) []inspect.Finding {
		v.Upstream.Provider = "testers"
		switch v.ID {
		case "01BAD", "01FLAW":
			return []inspect.Finding{{Cause: "recipient.unknown", Changed: []string{"the certificate"}}}
		}
		return nil
	}
	feed(t, s, KeeperOptions{Annotate: annotate}, append(rest, good, bad, flawed)...)
	o, err := s.Overview(t.Context(), OverviewQuery{Since: start.Truncate(time.Hour), Until: now})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Upstreams) != mostUpstreams || o.Others.Sessions != 27-20 || o.Others.Outcomes[inspect.Rejected] == 0 {
		t.Errorf("%d upstreams, others %+v; want %d, and the sum of the 7 left", len(o.Upstreams), o.Others, mostUpstreams)
	}
	u := o.Upstreams[0]
	switch {
	case u.Name != "smtp.example.com:587" || u.Sessions != 2 || u.Provider != "testers":
		t.Errorf("the busiest is %+v, want smtp.example.com:587 with 2 sessions", u)
	case u.LastGood == nil || u.LastGood.ID != "01GOOD" || !u.Certificate.Equal(handshake.Chain[0].NotAfter):
		t.Errorf("last good %+v, its certificate to %s; want 01GOOD and %s", u.LastGood, u.Certificate, handshake.Chain[0].NotAfter)
	case u.LastFailed == nil || u.LastFailed.ID != "01BAD" || !slices.Equal(u.Changed, []string{"the certificate"}):
		t.Errorf("last failed %+v, changed %q; want 01BAD and the certificate", u.LastFailed, u.Changed)
	case u.Throttled != nil:
		t.Errorf("throttled %+v, want nothing: no refusal was for the rate", u.Throttled)
	}
	one, err := s.Overview(t.Context(), OverviewQuery{Since: start.Truncate(time.Hour), Until: now, Upstream: "flawed.example:25"})
	if err != nil {
		t.Fatal(err)
	}
	if u := one.Upstreams[0]; u.LastFailed == nil || u.LastFailed.ID != "01FLAW" || u.LastGood == nil || u.LastGood.ID != "01FLAW" {
		t.Errorf("last failed %+v, last good %+v; want 01FLAW for both: mail was accepted, and something found", u.LastFailed, u.LastGood)
	}
}

// TestThrottled compares minutes in which an upstream refuses for the rate with
// others.
func TestThrottled(t *testing.T) {
	first := start.Truncate(time.Minute)
	now := first.Add(20 * time.Minute)
	s := openStore(t, newDir(t), Options{Now: func() time.Time { return now }})
	var batch []session.Record
	for minute, n := range []int{2, 4, 30, 0, 20, 3} {
		for i := range n {
			at := first.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Millisecond)
			reply := "250 2.1.5 ok"
			if i >= 10 {
				reply = "450 4.2.1 slow down"
			}
			batch = append(batch, refused(fmt.Sprintf("01M%dN%d", minute, i), at, "x@y", reply)...)
		}
	}
	feed(t, s, KeeperOptions{Annotate: func(v *inspect.Session) []inspect.Finding {
		if len(v.Codes) == 0 {
			return nil
		}
		return []inspect.Finding{{Cause: "rate.messages"}}
	}}, batch)
	o, err := s.Overview(t.Context(), OverviewQuery{Since: first, Until: now, Columns: 20})
	if err != nil || len(o.Upstreams) != 1 || o.Upstreams[0].Throttled == nil {
		t.Fatalf("%+v, %v; want one upstream that refuses for the rate", o.Upstreams, err)
	}
	got := *o.Upstreams[0].Throttled
	// A session lasts 22 ms or 25, and one begins each millisecond: of the last
	// 20 in that minute none has ended when the last begins.
	want := Throttled{Since: first, Minutes: 2, Then: 25, Else: 3, Most: 4, AtOnce: 20}
	if got != want {
		t.Errorf("throttled %+v, want %+v", got, want)
	}
}
