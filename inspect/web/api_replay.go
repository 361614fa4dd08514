package web

import (
	"errors"
	"net/http"
	"strings"

	"smtp-proxy/inspect/store"
)

// ReplayAPI says what a replay would send, and replays.
func (s *Site) ReplayAPI() []endpoint {
	return []endpoint{
		{"GET /api/v1/sessions/{id}/replay", s.apiReplayPlan},
		{"POST /api/v1/sessions/{id}/replay", s.apiReplay},
	}
}

// replayOptions is a [ReplayRequest] whose session stands in the address.
type replayOptions struct {
	Upstream string   `json:"upstream"`
	To       []string `json:"to"`
	Deliver  bool     `json:"deliver"`
}

func (s *Site) apiReplayPlan(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "upstream", "to", "deliver")
	if err != nil {
		return err
	}
	if _, err := agreed(r, typeJSON); err != nil {
		return err
	}
	deliver, err := q.yes("deliver")
	if err != nil {
		return err
	}
	ask := replayOptions{Upstream: q.Get("upstream"), Deliver: deliver}
	if to := q.Get("to"); to != "" {
		ask.To = strings.Split(to, ",")
	}
	request, err := s.replayRequest(r, ask)
	if err != nil {
		return err
	}
	plan, err := s.Replayer.Plan(r.Context(), request)
	if err != nil {
		return unplayable(err)
	}
	plan.Sends, plan.NotSent, plan.Recipients = some(plan.Sends), some(plan.NotSent), some(plan.Recipients)
	return answerJSON(w, http.StatusOK, plan)
}

func (s *Site) apiReplay(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeJSON); err != nil {
		return err
	}
	var ask replayOptions
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	request, err := s.replayRequest(r, ask)
	if err != nil {
		return err
	}
	result, err := s.Replayer.Replay(r.Context(), request)
	if err != nil {
		return unplayable(err)
	}
	result.Steps, result.NotSent, result.Findings = some(result.Steps), some(result.NotSent), some(result.Findings)
	return answerJSON(w, http.StatusOK, result)
}

// replayRequest names the session by its whole id, so that what is played
// cannot be another one by the time it is.
func (s *Site) replayRequest(r *http.Request, ask replayOptions) (ReplayRequest, error) {
	if s.Replayer == nil {
		return ReplayRequest{}, lacking("nothing is replayed here", "use smtp-proxy replay on the command line")
	}
	v, err := s.asked(r)
	if err != nil {
		return ReplayRequest{}, err
	}
	return ReplayRequest{Session: v.ID, Upstream: bare(ask.Upstream), To: ask.To, Deliver: ask.Deliver}, nil
}

// unplayable words why a replay could not begin: the session is on record, and
// something about it or the request stands in the way.
func unplayable(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrAmbiguous) {
		return err
	}
	err = senseless(err)
	var p problem
	if errors.As(err, &p) && p.status == http.StatusBadRequest {
		p.status, p.advice = http.StatusConflict, "name another upstream or other recipients; the command line can do more: smtp-proxy replay --help"
		return p
	}
	return err
}
