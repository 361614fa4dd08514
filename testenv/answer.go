package testenv

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Answer is what a [Smarthost] says in one phase instead of what it usually
// says there, and what it does next. The zero value says nothing at all and
// goes on, so that the peer waits.
type Answer struct {
	Reply string   `toml:"reply"` // lines joined by \n, each ended with CRLF; {words} as in [Persona]
	Raw   string   `toml:"raw"`   // octets sent behind Reply as they are
	Again int      `toml:"again"` // how often Raw is sent once more
	Pause duration `toml:"pause"` // before the reply
	Then  After    `toml:"then"`  // what happens behind it
	After int      `toml:"after"` // usual replies given first, counted over all connections
	Times int      `toml:"times"` // then this answer so often, and the usual one again; 0 for always
}

// After is what a smarthost does behind an [Answer].
type After string

// The things that a smarthost may do.
const (
	GoOn      After = ""
	EndClose  After = "close"   // FIN
	EndReset  After = "reset"   // RST
	EndSilent After = "silence" // hear, and say nothing until the peer leaves
)

// duration reads "20ms" from TOML.
type duration time.Duration

// UnmarshalText reads a Go duration.
func (d *duration) UnmarshalText(b []byte) error {
	n, err := time.ParseDuration(string(b))
	*d = duration(n)
	return err
}

func (a Answer) validate() error {
	switch a.Then {
	case GoOn, EndClose, EndReset, EndSilent:
	default:
		return fmt.Errorf("then = %q: want close, reset, silence or nothing", a.Then)
	}
	if a.Reply != "" {
		return validReply(a.Reply)
	}
	return nil
}

// validReply demands that every line begins with the same code, and that the
// separators say where the reply ends: what breaks this belongs into Raw.
func validReply(reply string) error {
	lines := strings.Split(reply, "\n")
	for i, line := range lines {
		sep := byte('-')
		if i == len(lines)-1 {
			sep = ' '
		}
		if len(line) < 4 || line[:3] != lines[0][:3] || line[3] != sep {
			return fmt.Errorf("reply line %q: want code and %q", line, sep)
		}
	}
	return nil
}

// give says the answer on c. over tells that the conversation ends here.
func (a Answer) give(ctx context.Context, c net.Conn, fill *strings.Replacer) (over bool) {
	if pause(ctx, time.Duration(a.Pause)) != nil {
		return true
	}
	if _, err := io.WriteString(c, a.octets(fill)); err != nil {
		return true
	}
	switch a.Then {
	case EndReset:
		reset(rawConn(c))
	case EndSilent:
		_, _ = io.Copy(io.Discard, c)
	case EndClose:
		c.Close()
	}
	return a.Then != GoOn
}

func (a Answer) octets(fill *strings.Replacer) string {
	raw := strings.Repeat(a.Raw, 1+max(0, a.Again))
	if a.Reply == "" {
		return raw
	}
	return fill.Replace(strings.ReplaceAll(a.Reply, "\n", "\r\n")) + "\r\n" + raw
}
