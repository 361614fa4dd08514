//go:build rigs

package rigs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"testing"
)

// recorded is what the rigs read of a session's JSON.
type recorded struct {
	ID       string  `json:"id"`
	Ended    *string `json:"ended"`
	Outcome  string  `json:"outcome"`
	App      leg     `json:"app"`
	Upstream leg     `json:"upstream"`
	Auth     *struct {
		Mechanism string `json:"mechanism"`
		Username  string `json:"username"`
		Accepted  bool   `json:"accepted"`
	} `json:"auth"`
	Messages []struct {
		To []struct {
			Addr string `json:"addr"`
			Code int    `json:"code"`
		} `json:"to"`
		MessageID string `json:"message_id"`
		Code      int    `json:"code"`
		Size      int64  `json:"size"`
	} `json:"messages"`
	Edits    []string          `json:"edits"`
	Findings []finding         `json:"findings"`
	Events   []json.RawMessage `json:"events"`
}

type finding struct {
	Cause string `json:"cause"`
}

type leg struct {
	Name string `json:"name"` // of the upstream
	Addr string `json:"addr"`
	Helo string `json:"helo"`
	TLS  *struct {
		Verified bool `json:"verified"`
	} `json:"tls"`
}

// sessions lists what the proxy has recorded.
func (p *proxy) sessions(t *testing.T) []recorded {
	t.Helper()
	return decode(t, p.ask(t, "sessions", "--json"))
}

// ask runs a reading command on the proxy's record.
func (p *proxy) ask(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), p.binary, append(args, "--data", p.data)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("smtp-proxy %v: %v\n%s", args, err, errs.Bytes())
	}
	return out.Bytes()
}

func decode(t *testing.T, text []byte) []recorded {
	t.Helper()
	var all []recorded
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var r recorded
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("session %d: %v\n%s", len(all), err, text)
		}
		all = append(all, r)
	}
}

// byHelo finds sessions by the name that the app gave, which is its own for
// each job.
func byHelo(all []recorded) map[string]recorded {
	found := map[string]recorded{}
	for _, r := range all {
		found[r.App.Helo] = r
	}
	return found
}
