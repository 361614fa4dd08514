package web

import (
	"regexp"
	"strconv"
	"strings"
)

// pastedPiece is a part of a pasted text that is explained by itself: a line,
// or the lines of one reply.
type pastedPiece struct {
	first, last int // its lines, counted from 1
	text        string
}

func (p pastedPiece) where() string {
	if p.first == p.last {
		return strconv.Itoa(p.first)
	}
	return strconv.Itoa(p.first) + "–" + strconv.Itoa(p.last)
}

var (
	// What transcripts put before a line: swaks, curl, RFC examples.
	dialogueMark = regexp.MustCompile(`^\s*(?:<[-~*=]{1,2}|<{1,3}|[-~=*]{1,2}>|>{1,3}|[CS]:)\s+`)
	// A line of a reply that says that another follows (RFC 5321, section
	// 4.2.1), alone or behind what a log says first.
	replyGoesOn = regexp.MustCompile(`(?:^|[\s:])([2-5]\d\d)-[^\n]*$`)
	replyBegins = regexp.MustCompile(`^\s*([2-5]\d\d)[ -]`)
)

// piecesPasted takes a text apart into what is explained by itself. No line is
// lost but empty ones.
func piecesPasted(text string) []pastedPiece {
	var all []pastedPiece
	blank := true
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			blank = true
			continue
		}
		mark := dialogueMark.FindString(line)
		line = line[len(mark):]
		if n := len(all); n > 0 && !blank && (sameReply(all[n-1].text, line) || mark == "" && folds(line)) {
			all[n-1].text += "\n" + line
			all[n-1].last = i + 1
		} else {
			all = append(all, pastedPiece{i + 1, i + 1, line})
		}
		blank = false
	}
	return all
}

// folds reports whether a line goes on with the one before, as logs and
// bounces fold them.
func folds(line string) bool { return line[0] == ' ' || line[0] == '\t' }

// sameReply reports whether a line belongs to the reply that a text ends in.
func sameReply(text, line string) bool {
	on, begin := replyGoesOn.FindStringSubmatch(text), replyBegins.FindStringSubmatch(line)
	return on != nil && begin != nil && on[1] == begin[1]
}
