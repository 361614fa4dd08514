package capture

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// Bounds of what a session may say.
const (
	maxText     = 4 << 20   // octets of one text
	maxMessages = 1_000_000 // those included that are not listed
	maxNumber   = 1 << 50
	maxSpan     = 366 * 24 * time.Hour // between any two moments of a session
	aheadAtMost = 24 * time.Hour       // of a clock that is wrong
)

// check refuses a session that cannot have been recorded.
func check(s *inspect.Session, now time.Time) error {
	if !sane(s.ID) {
		return errors.New("its id is no ULID: 26 of the characters 0-9 and A-Z without I, L, O and U")
	}
	if s.Linked != "" && !sane(s.Linked) {
		return errors.New("the id of the session that it is linked to is no ULID")
	}
	if err := checkState(s); err != nil {
		return err
	}
	if err := checkTimes(s, now); err != nil {
		return err
	}
	if s.Omitted < 0 || len(s.Messages)+s.Omitted > maxMessages {
		return fmt.Errorf("it has more than %d messages", maxMessages)
	}
	return checkValues(s)
}

// sane tells the ids that are given to sessions (ULID).
func sane(id string) bool {
	return len(id) == 26 && id[0] <= '7' && strings.Trim(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

func checkState(s *inspect.Session) error {
	switch s.Outcome {
	case inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail, inspect.Open:
	default:
		return fmt.Errorf("its outcome is none that there is: %.40q", s.Outcome)
	}
	if s.Ended.IsZero() != (s.Outcome == inspect.Open) {
		return fmt.Errorf("its outcome is %q, which does not go with its end", s.Outcome)
	}
	for i := range s.Events {
		if seq := s.Events[i].Seq; seq < 1 || seq > maxNumber || i > 0 && seq <= s.Events[i-1].Seq {
			return fmt.Errorf("its event %d has the number %d, which must be greater than the one before", i+1, seq)
		}
	}
	return nil
}

func checkTimes(s *inspect.Session, now time.Time) error {
	first := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if s.Started.Before(first) || s.Started.After(now.Add(aheadAtMost)) {
		return fmt.Errorf("it began at %s, which cannot be", s.Started.UTC().Format(time.RFC3339))
	}
	if !s.Ended.IsZero() && apart(s.Ended, s.Started) {
		return fmt.Errorf("it ended at %s, which does not go with its start", s.Ended.UTC().Format(time.RFC3339))
	}
	for i := range s.Events {
		if apart(s.Events[i].At, s.Started) {
			return fmt.Errorf("its event %d lies a year or more from its start", s.Events[i].Seq)
		}
	}
	return nil
}

func apart(a, b time.Time) bool { return a.Sub(b).Abs() >= maxSpan }

// checkValues bounds every text, word and number, whatever it means.
func checkValues(s *inspect.Session) (err error) {
	walk(s, func(at *place, v reflect.Value) {
		if why := wrongValue(v); why != "" && err == nil {
			err = fmt.Errorf("%s %s", at, why)
		}
	})
	return err
}

func wrongValue(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		if len(v.String()) > maxText {
			return fmt.Sprintf("is longer than %d octets", maxText)
		}
		if v.Type() != reflect.TypeFor[string]() && !isWord(v.String()) {
			return fmt.Sprintf("is no word that is used there: %.40q", v.String())
		}
	case reflect.Int, reflect.Int64:
		if v.Type() == reflect.TypeFor[time.Duration]() && time.Duration(v.Int()).Abs() >= maxSpan {
			return "is a year or more"
		}
		if v.Type() != reflect.TypeFor[time.Duration]() && (v.Int() > maxNumber || v.Int() < -1) {
			return fmt.Sprintf("is a number that cannot be: %d", v.Int())
		}
	}
	return ""
}

// isWord tells the words of which there is a fixed set: kinds, phases, classes.
// Newer ones than are known here are let through.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(s) <= 64
}
