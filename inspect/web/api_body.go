package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// mostBody bounds the body of a request, in octets.
const mostBody = 1 << 20

// bodyType is the media type of a request's body.
func bodyType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// readBody reads a whole body.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, problem{http.StatusRequestEntityTooLarge, "the request is longer than 1 MB", "send less, or use the command line, which reads files"}
	case err != nil:
		return nil, problem{http.StatusBadRequest, "the request did not arrive whole", "send it again"}
	}
	return text, nil
}

// readJSON reads an object. A page of another site can have a browser send a
// form, which is none of the types that pass here; for JSON the browser asks
// first, and is not told that it may.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if bodyType(r) != typeJSON {
		return problem{http.StatusUnsupportedMediaType, "the request is no JSON", "send an object with Content-Type: application/json"}
	}
	text, err := readBody(w, r)
	if err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return unreadable(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return problem{http.StatusBadRequest, "something stands behind the object", "send one object"}
	}
	return nil
}

// unreadable words an error of JSON without a value in it: that may be a
// password.
func unreadable(err error) problem {
	p := problem{http.StatusBadRequest, "the request is no object in JSON", "/api/v1/openapi.json describes it"}
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	name, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		p.title = "the field " + strconv.Quote(visible(kind.Field)) + " has a value of another type"
	case errors.As(err, &syntax):
		p.title = "the request is no JSON from octet " + strconv.FormatInt(syntax.Offset, 10) + " on"
	case unknown:
		p.title = "there is no field " + visible(name)
	}
	return p
}
