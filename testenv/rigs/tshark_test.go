//go:build rigs

package rigs_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// dissection is what tshark makes of one packet.
type dissection struct {
	leg, length, protocols, commands, code, fragment, lost, malformed, comments string
}

func dissected(t *testing.T, file string) (all []dissection) {
	t.Helper()
	args := []string{"-n", "-2", "-r", file, "-T", "fields"} // twice: only then it is known what goes on later
	for _, field := range []string{
		"frame.interface_name", "tcp.len", "frame.protocols", "smtp.req.command", "smtp.response.code",
		"tcp.reassembled_in", "tcp.analysis.lost_segment", "_ws.malformed", "frame.comment",
	} {
		args = append(args, "-e", field)
	}
	for line := range strings.Lines(string(tshark(t, args...))) {
		v := append(strings.Split(strings.TrimSuffix(line, "\n"), "\t"), make([]string, 9)...)
		all = append(all, dissection{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]})
	}
	return all
}

// fault says what is wrong with a packet. A part of a line that goes on in the
// next packet is not dissected by itself.
func (d dissection) fault(gap bool) string {
	switch {
	case d.length != "0" && !strings.Contains(d.protocols, ":smtp") && d.fragment == "":
		return "words that are not SMTP"
	case strings.Contains(d.protocols, "tls"):
		return "TLS"
	case d.malformed != "":
		return "a malformed packet"
	case d.lost != "" && !gap:
		return "a lost segment"
	}
	return ""
}

// verbs are the commands of a packet, without the answers of an AUTH exchange.
func (d dissection) verbs() (all []string) {
	for verb := range strings.SplitSeq(strings.ToUpper(d.commands), ",") {
		if verb != "" && strings.Trim(verb, "*") != "" {
			all = append(all, verb[:min(4, len(verb))])
		}
	}
	return all
}

// dissect returns a field of the packets that a filter selects, one element a
// value.
func dissect(t *testing.T, file, filter, field string, options ...string) []string {
	t.Helper()
	args := append([]string{"-n", "-r", file, "-Y", filter, "-T", "fields", "-e", field}, options...)
	return strings.FieldsFunc(string(tshark(t, args...)), func(r rune) bool { return r == ',' || r == '\n' })
}

func tshark(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "tshark", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("tshark %v: %v\n%s", args, err, errs.Bytes())
	}
	return out.Bytes()
}
