package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// rate is how often something may begin, as a flag.
type rate struct {
	every time.Duration // between two; 0 for no limit
	given bool
}

// mostEvery is the slowest rate.
const mostEvery = 24 * time.Hour

func (r *rate) String() string {
	switch {
	case !r.given:
		return ""
	case r.every == 0:
		return "none"
	}
	return strconv.FormatFloat(float64(time.Second)/float64(r.every), 'g', 4, 64) + "/s"
}
func (r *rate) Type() string { return "rate" }

// Set reads 10/s, 100/m, 1000/h, a number alone for one a second, or none.
func (r *rate) Set(text string) error {
	if text == "none" {
		*r = rate{given: true}
		return nil
	}
	number, unit, ok := strings.Cut(text, "/")
	in := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if !ok {
		in = time.Second
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || in == 0 || !(n > 0) || n > 1e6 || float64(in)/n > float64(mostEvery) {
		return fmt.Errorf("%q is no rate: write it as 10/s, 100/m, 1000/h, or none for no limit", text)
	}
	*r = rate{every: time.Duration(float64(in) / n), given: true}
	return nil
}
