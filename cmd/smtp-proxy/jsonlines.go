package main

import (
	"encoding/json"
	"io"
)

// jsonLines writes one JSON value a line, as jq and log shippers read them.
// Mail is full of < and >, which stay themselves.
func jsonLines(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
