package main

import "smtp-proxy/upstream/replay"

// diffJSON is what diff --json prints.
type diffJSON struct {
	A           string           `json:"a"` // ids of the sessions
	B           string           `json:"b"`
	Same        bool             `json:"same"`
	Differences []differenceJSON `json:"differences"`
}

// differenceJSON is one difference; a and b are empty where a session had
// nothing of the kind.
type differenceJSON struct {
	Where string `json:"where"`
	A     string `json:"a"`
	B     string `json:"b"`
	Why   string `json:"why"`
}

func (d comparedSessions) object() diffJSON {
	out := diffJSON{A: d.sides[0].ID, B: d.sides[1].ID, Same: len(d.found) == 0, Differences: []differenceJSON{}}
	for _, one := range d.found {
		out.Differences = append(out.Differences, differenceOf(one))
	}
	return out
}

func differenceOf(d replay.Difference) differenceJSON {
	return differenceJSON{Where: d.Where, A: d.A, B: d.B, Why: d.Why}
}
