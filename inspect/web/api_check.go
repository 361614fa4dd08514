package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// CheckAPI examines a smarthost.
func (s *Site) CheckAPI() []endpoint {
	return []endpoint{{"POST /api/v1/check", s.apiCheck}}
}

// apiCheck answers when all is examined, or tells each step as it is taken. It
// ends with the reader.
func (s *Site) apiCheck(w http.ResponseWriter, r *http.Request) error {
	kind, err := agreed(r, typeJSON, typeEvents)
	if err != nil {
		return err
	}
	var ask CheckRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if strings.TrimSpace(ask.Target) == "" {
		return problem{http.StatusBadRequest, "no smarthost is named", `give host, host:port or URL as "target"`}
	}
	if ask.Target != bare(ask.Target) {
		return problem{http.StatusBadRequest, "the smarthost must not hold a user name or password", `give them as "user" and "password"`}
	}
	if s.Checker == nil {
		return lacking("nothing is checked here", "use smtp-proxy check on the command line")
	}
	if kind == typeEvents {
		return s.apiCheckSteps(w, r, ask)
	}
	result, err := s.Checker.Check(r.Context(), ask, func(CheckStep) {})
	if err != nil {
		return senseless(err)
	}
	return answerJSON(w, http.StatusOK, result.complete())
}

func (s *Site) apiCheckSteps(w http.ResponseWriter, r *http.Request, ask CheckRequest) error {
	ctx, gone := context.WithCancel(r.Context())
	defer gone()
	out := newPipe(w, typeEvents)
	result, err := s.Checker.Check(ctx, ask, func(step CheckStep) {
		if out.event("step", "", step) != nil {
			gone()
		}
	})
	if err == nil {
		err = out.event("result", "", result.complete())
	}
	return out.end(r, senseless(err))
}

// complete is the result without a list that is null.
func (c CheckResult) complete() CheckResult {
	c.Steps, c.Findings = some(c.Steps), some(c.Findings)
	if c.Fix != nil {
		fix := *c.Fix
		fix.Flags, fix.Tried = some(fix.Flags), some(fix.Tried)
		c.Fix = &fix
	}
	return c
}

// senseless words an error of those who do the work: it says why the request
// cannot be met.
func senseless(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrBusy):
		return problem{http.StatusServiceUnavailable, visible(err.Error()), "wait until it has ended, and ask again"}
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, new(problem)):
		return err
	}
	return problem{http.StatusBadRequest, visible(err.Error()), "correct the request"}
}
