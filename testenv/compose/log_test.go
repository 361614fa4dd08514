package compose_test

import (
	"bufio"
	"encoding/json"
	"io"
	"testing"
)

// listening reads a proxy's log until it says where it listens. The rest is
// read until the log ends, which closes the channel.
func listening(t *testing.T, log io.Reader) (addr string, ended <-chan struct{}) {
	t.Helper()
	lines := bufio.NewScanner(log)
	var seen []string
	for lines.Scan() {
		var line struct{ Message, Listen string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "listening" {
			return line.Listen, drain(log)
		}
		seen = append(seen, lines.Text())
	}
	t.Fatalf("got no line that says where the proxy listens, log: %q", seen)
	return "", nil
}

func drain(log io.Reader) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		io.Copy(io.Discard, log)
	}()
	return ended
}
