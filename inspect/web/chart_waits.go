package web

import (
	"math"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// waitsChart is how long the upstream took for each verb, on a logarithmic
// scale: half of the replies within the bar's first end, all but one in a
// hundred within its last.
type waitsChart struct {
	Ticks []chartTick
	Rows  []waitRow
}

// waitRow is one verb.
type waitRow struct {
	Name          string
	Wire          bool // the name is a command
	N             string
	P50, P95, P99 string
	At50, At95    string // places on the scale
	At99          string
	Long, Tail    string // lengths of the bar, and of the line behind it
	Slow          bool   // p95 is so long that apps notice
}

// slowWait is a wait that apps notice: some give up after ten seconds.
const slowWait = 5 * time.Second

func waitsOf(list []store.Wait) *waitsChart {
	if len(list) == 0 {
		return nil
	}
	s := scaleOf(list)
	c := &waitsChart{Ticks: s.ticks()}
	for _, w := range list {
		name, wire := waitName(w.Verb)
		c.Rows = append(c.Rows, waitRow{
			Name: name, Wire: wire, N: grouped(w.N), Slow: w.P95 >= slowWait,
			P50: inspect.Took(w.P50), P95: inspect.Took(w.P95), P99: inspect.Took(w.P99),
			At50: percent(s.place(w.P50), 1), At95: percent(s.place(w.P95), 1), At99: percent(s.place(w.P99), 1),
			Long: percent(max(0, s.place(w.P95)-s.place(w.P50)), 1), Tail: percent(max(0, s.place(w.P99)-s.place(w.P50)), 1),
		})
	}
	return c
}

func waitName(verb string) (name string, wire bool) {
	switch verb {
	case ".":
		return "end of data", false
	case "":
		return "greeting", false
	case "connect":
		return "connection", false
	case "tls":
		return "TLS handshake", false
	}
	return verb, true
}

// logScale places a wait between two powers of ten of milliseconds.
type logScale struct{ from, to int }

func scaleOf(list []store.Wait) logScale {
	s := logScale{math.MaxInt, math.MinInt}
	for _, w := range list {
		s.from = min(s.from, int(math.Floor(decades(w.P50))))
		s.to = max(s.to, int(math.Ceil(decades(w.P99))))
	}
	s.to = max(s.to, s.from+2)
	return s
}

// decades is the logarithm of a wait in milliseconds.
func decades(d time.Duration) float64 {
	return math.Log10(float64(max(d, 10*time.Microsecond)) / float64(time.Millisecond))
}

func (s logScale) place(d time.Duration) float64 {
	return min(1, max(0, (decades(d)-float64(s.from))/float64(s.to-s.from)))
}

func (s logScale) ticks() []chartTick {
	var all []chartTick
	for e := s.from; e <= s.to; e++ {
		all = append(all, chartTick{At: percent(float64(e-s.from), float64(s.to-s.from)), Label: decadeLabel(e)})
	}
	return all
}

func decadeLabel(e int) string {
	switch {
	case e < 0:
		return svgNumber(math.Pow10(e+3)) + " µs"
	case e < 3:
		return svgNumber(math.Pow10(e)) + " ms"
	}
	return svgNumber(math.Pow10(e-3)) + " s"
}
