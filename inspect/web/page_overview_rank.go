package web

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// causeRow is one cause in the ranking.
type causeRow struct {
	Cause string
	Title []bit
	About string // link to the catalogue
	N     string
	Link  string
	Share string // of all sessions
	Trend trend
	Spark string // the d of a path
}

// trend compares with the span before.
type trend struct {
	Glyph, Word string
	Tone        string
}

// codeRow is one refusal.
type codeRow struct {
	Code, Kind string
	N          string
	Link       string
	Length     string // of its bar
}

// mostRanked is how many causes and how many codes are listed.
const mostRanked = 12

func (v overviewer) causes(sessions int) (rows []causeRow, more string) {
	o := v.overview
	for i, c := range o.Causes {
		if i == mostRanked {
			return rows, fmt.Sprintf("and %d more kinds of failure, each less frequent", len(o.Causes)-i)
		}
		rows = append(rows, causeRow{
			Cause: c.Cause, Title: v.site.causeTitle(c.Cause), About: causeLink(c.Cause), N: grouped(c.N), Share: shareOf(c.N, sessions),
			Link:  v.link(append(between(o.Since, o.Until), filterWord("cause", c.Cause))...),
			Trend: trendOf(c.N, c.Before), Spark: spark(c.Counts),
		})
	}
	return rows, ""
}

// trendOf says how a number compares with the one before. What there is more
// of is a failure, so more is bad.
func trendOf(n, before int) trend {
	switch {
	case before == 0 && n > 0:
		return trend{"▲", "new", "bad"}
	case n > before:
		return trend{"▲", grouped(n-before) + " more than the " + grouped(before) + " before", "bad"}
	case n < before:
		return trend{"▼", grouped(before-n) + " fewer than the " + grouped(before) + " before", "good"}
	}
	return trend{"=", "as many as before", "quiet"}
}

// causeTitle is the catalogue's title of a cause, empty when it has none.
func (s *Site) causeTitle(id string) []bit {
	if s.Rules == nil {
		return nil
	}
	c, _ := s.Rules.Cause(id)
	return bits(c.Title)
}

func causeLink(id string) string { return "/causes/" + url.PathEscape(id) }

func (v overviewer) codes() []codeRow {
	o, rows := v.overview, []codeRow(nil)
	for i, c := range o.Codes {
		if i == mostRanked {
			break
		}
		words := between(o.Since, o.Until)
		for code := range strings.FieldsSeq(c.Code) {
			words = append(words, filterWord("code", code))
		}
		rows = append(rows, codeRow{
			Code: c.Code, Kind: codeKind(c.Code), N: grouped(c.N), Link: v.link(words...),
			Length: percent(float64(c.N), float64(o.Codes[0].N)),
		})
	}
	return rows
}

// codeKind says what the class of a reply code means (RFC 5321, section
// 4.2.1).
func codeKind(code string) string {
	switch {
	case strings.HasPrefix(code, "4"):
		return "temporary"
	case strings.HasPrefix(code, "5"):
		return "permanent"
	}
	return ""
}

// grouped writes a count with its digits in groups.
func grouped(n int) string {
	if n < 0 {
		return "−" + grouped(-n)
	}
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// shareOf writes a part of a whole in percent. Only all is 100 %, and only none
// is 0 %.
func shareOf(n, of int) string {
	if of <= 0 {
		return ""
	}
	switch p := 100 * float64(n) / float64(of); {
	case n > 0 && p < .1:
		return "< 0.1 %"
	case n < of && p > 99.9:
		return "> 99.9 %"
	case p < 10 && n > 0:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	case n < of && p >= 99:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}
