package web

import (
	_ "embed"
	"io"
	"net/http"
	"strconv"
)

// description is the API's, by the OpenAPI Specification 3.1. It is written by
// hand; tests hold it against the addresses and against what they answer.
//
//go:embed openapi.json
var description string

// DescriptionAPI serves the description.
func (s *Site) DescriptionAPI() []endpoint {
	return []endpoint{{"GET /api/v1/openapi.json", s.apiDescription}}
}

func (s *Site) apiDescription(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeJSON); err != nil {
		return err
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(description)))
	_, err := io.WriteString(w, description)
	return err
}
