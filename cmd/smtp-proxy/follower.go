package main

import (
	"encoding/json"

	"smtp-proxy/inspect"
)

// follower prints sessions as they come: each when it has ended, its findings
// again when they change, and a live line for those that run.
type follower struct {
	view transcript
	json *json.Encoder // instead of the blocks, when not nil
	live *liveLine

	printed map[string]string // what was found of the ended sessions, by id
	order   []string          // their ids, oldest first
}

func newFollower(view transcript) *follower {
	return &follower{view: view, live: newLiveLine(view.screen), printed: map[string]string{}}
}

// mostPrinted bounds how many ended sessions are remembered: a diagnosis
// changes within minutes of its session.
const mostPrinted = 1000

// take prints what is new of s.
func (f *follower) take(s *inspect.Session) error {
	if s.Ended.IsZero() {
		f.live.running(s, f.view.now())
		return nil
	}
	findings, err := json.Marshal(s.Findings)
	if err != nil {
		return err
	}
	if wouldFail(s.Direct) {
		findings = append(findings, s.Direct.Text...)
	}
	before, known := f.printed[s.ID]
	if known && before == string(findings) {
		return nil
	}
	f.remember(s.ID, string(findings), known)
	f.live.ended(s.ID)
	err = f.print(s, known)
	f.live.draw(f.view.now())
	return err
}

func (f *follower) print(s *inspect.Session, again bool) error {
	switch {
	case f.json != nil:
		plain := *s
		plain.Events = nil
		return f.json.Encode(&plain)
	case again:
		return f.view.update(s)
	}
	return f.view.session(s)
}

func (f *follower) remember(id, findings string, known bool) {
	f.printed[id] = findings
	if known {
		return
	}
	f.order = append(f.order, id)
	if len(f.order) > mostPrinted {
		delete(f.printed, f.order[0])
		f.order = f.order[1:]
	}
}
