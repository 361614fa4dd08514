package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types that the API speaks.
const (
	typeJSON   = "application/json"
	typeLines  = "application/x-ndjson"
	typeEvents = "text/event-stream"
	typeText   = "text/plain"
)

// agreed chooses what to answer with, by the Accept header (RFC 9110, section
// 12.5.1). Of offers that are as welcome the first wins.
func agreed(r *http.Request, offers ...string) (string, error) {
	ranges := rangesOf(strings.Join(r.Header.Values("Accept"), ","))
	best, most := "", 0.0
	for _, offer := range offers {
		if q := welcome(ranges, offer); q > most {
			best, most = offer, q
		}
	}
	if best == "" {
		return "", problem{http.StatusNotAcceptable, "the Accept header takes nothing that this address has", "it has " + strings.Join(offers, " and ")}
	}
	return best, nil
}

// mediaRange is one element of an Accept header.
type mediaRange struct {
	kind string
	q    float64
}

// mostRanges is how many elements of an Accept header are looked at.
const mostRanges = 32

// rangesOf reads an Accept header; none at all takes anything.
func rangesOf(header string) []mediaRange {
	var all []mediaRange
	for _, text := range strings.SplitN(header, ",", mostRanges+1) {
		kind, parameters, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		m := mediaRange{kind, 1}
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			m.q = q
		}
		all = append(all, m)
	}
	if strings.TrimSpace(header) == "" {
		all = append(all, mediaRange{"*/*", 1})
	}
	return all
}

// welcome is how much a type is wanted: by the range that names it most
// exactly.
func welcome(ranges []mediaRange, kind string) float64 {
	family, _, _ := strings.Cut(kind, "/")
	for _, name := range []string{kind, family + "/*", "*/*"} {
		for _, m := range ranges {
			if m.kind == name {
				return m.q
			}
		}
	}
	return 0
}
