package web

import (
	"net/http"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
)

// ExplainAPI annotates replies and log lines that come from elsewhere.
func (s *Site) ExplainAPI() []endpoint {
	return []endpoint{{"POST /api/v1/explain", s.apiExplain}}
}

// explainRequest is a text, and the smarthost that said it: host, host:port or
// URL.
type explainRequest struct {
	Text     string `json:"text"`
	Upstream string `json:"upstream"`
}

// explanation is what explain --json prints for one text.
type explanation struct {
	Reply    string            `json:"reply"`
	Findings []inspect.Finding `json:"findings"`
}

func (s *Site) apiExplain(w http.ResponseWriter, r *http.Request) error {
	if _, err := agreed(r, typeJSON); err != nil {
		return err
	}
	ask, err := explainRequestOf(w, r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(ask.Text) == "" {
		return problem{http.StatusBadRequest, "there is nothing to explain", `give a reply or a line of a log as "text"`}
	}
	if len(ask.Text) > mostPasted || len(ask.Upstream) > mostHost {
		return problem{http.StatusRequestEntityTooLarge, "the text is longer than 64 kB, or the name of the smarthost than a name can be", "give the lines that tell of the failure; smtp-proxy explain - reads any number of them"}
	}
	if s.Explainer == nil {
		return lacking("nothing is explained here", "use smtp-proxy explain on the command line")
	}
	return answerJSON(w, http.StatusOK, s.explained(ask))
}

// explained is what may be told of a pasted text. It may hold a password, which
// is shown as little as any other.
func (s *Site) explained(ask explainRequest) explanation {
	text := strings.TrimRight(strings.ReplaceAll(ask.Text, `\n`, "\n"), "\r\n")
	return explanation{diagnose.Mask(text), some(s.Explainer.Explain(text, bare(ask.Upstream)))}
}

// explainRequestOf reads an object, or the text on its own, which then takes
// the smarthost from the address. A form of another site can send a text; the
// guard refuses it by its origin, and nothing here changes for it.
func explainRequestOf(w http.ResponseWriter, r *http.Request) (ask explainRequest, err error) {
	q, err := queryOf(r, "upstream")
	if err != nil {
		return ask, err
	}
	switch bodyType(r) {
	case typeJSON:
		err = readJSON(w, r, &ask)
		if ask.Upstream == "" {
			ask.Upstream = q.Get("upstream")
		}
		return ask, err
	case typeText:
		text, err := readBody(w, r)
		return explainRequest{string(text), q.Get("upstream")}, err
	}
	return ask, problem{http.StatusUnsupportedMediaType, "the request is neither JSON nor text", "send Content-Type: application/json or text/plain"}
}

// some is a list that is there, if only empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
