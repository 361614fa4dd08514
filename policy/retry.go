package policy

import (
	"fmt"
	"time"
)

// Class is how a cause behaves when the same mail is sent again. The
// catalogue of causes names one for each cause; [Advice] turns it into a
// schedule.
type Class string

// The classes. The first group says "later" and differs in its pace.
const (
	ClassNetwork  Class = "network"  // a path that fails for now: minutes
	ClassBusy     Class = "busy"     // a server that cannot for now: RFC 5321, section 4.5.4.1
	ClassRate     Class = "rate"     // told to slow down
	ClassQuota    Class = "quota"    // an allowance that is filled up again by the hour or the day
	ClassGreylist Class = "greylist" // first contact is deferred for minutes (RFC 6647)
	ClassMailbox  Class = "mailbox"  // somebody has to tidy up a mailbox: hours
	ClassSplit    Class = "split"    // the rest of the recipients, in a transaction of their own

	ClassNow   Class = "now"   // a glitch
	ClassFix   Class = "fix"   // the same attempt fails the same way
	ClassNever Class = "never" // give the recipient or the message up

	ClassByCode          Class = "by-code"           // 4xx as busy, 5xx as fix
	ClassByCodeRecipient Class = "by-code-recipient" // 4xx as busy, 5xx as never
)

// The four advices a [Retry] gives.
const (
	RetryNow      = "now"
	RetryLater    = "later"
	RetryAfterFix = "after-fix"
	RetryNever    = "never"
)

// Said is what the other side answered, as far as it answered at all.
type Said struct {
	Code int       // 0 when there was no reply
	Text string    // the reply's words; they may name a delay
	At   time.Time // when it was said; a time of day in Text is read against it
}

// Retry is what to do about sending again.
type Retry struct {
	Advice   string          // now, later, after-fix, never
	After    time.Duration   // before the first try; 0 when it may be at once or must not be
	Schedule []time.Duration // waits between tries, first to last; nil when none makes sense
	GiveUp   time.Duration   // after this long in all, report the mail as undeliverable
	Text     string          // one sentence for a person
}

// pace is an exponential back-off: waits double from first to longest until
// giveUp is used up.
type pace struct {
	first, longest, giveUp time.Duration
	why                    string
}

// paces returns the pace of a class that says later (or now).
func paces(c Class) (pace, bool) {
	switch c {
	case ClassNow:
		return pace{5 * time.Second, 5 * time.Minute, time.Hour, "this looks like a glitch"}, true
	case ClassNetwork:
		return pace{time.Minute, 30 * time.Minute, 24 * time.Hour, "the network path failed for now"}, true
	case ClassBusy:
		return pace{5 * time.Minute, time.Hour, 96 * time.Hour, "the server cannot take it just now"}, true
	case ClassRate:
		return pace{2 * time.Minute, time.Hour, 48 * time.Hour, "it asks for a slower pace"}, true
	case ClassQuota:
		return pace{time.Hour, 6 * time.Hour, 48 * time.Hour, "the allowance fills up again with time"}, true
	case ClassGreylist:
		return pace{5 * time.Minute, time.Hour, 24 * time.Hour, "a later try from the same address is let in"}, true
	case ClassMailbox:
		return pace{time.Hour, 12 * time.Hour, 96 * time.Hour, "the mailbox has to be tidied first"}, true
	case ClassSplit:
		return pace{10 * time.Second, 10 * time.Minute, 24 * time.Hour, "send the remaining recipients in a transaction of their own"}, true
	}
	return pace{}, false
}

// Advice says when the same mail should be sent again, given how its cause
// behaves and what the other side said. A delay that the reply names wins
// over the class's own first wait. The waits are means: whoever follows the
// schedule varies each by about a fifth, lest all queued mail comes at once.
func Advice(c Class, said Said) Retry {
	switch c = settle(c, said.Code); c {
	case ClassNever:
		return Retry{Advice: RetryNever, Text: "Do not send this again: the answer will stay the same."}
	case ClassNow:
		return retryNow(said)
	}
	p, ok := paces(c)
	if !ok {
		return Retry{Advice: RetryAfterFix, Text: "Sending again fails the same way until something is changed."}
	}
	return retryLater(p, said)
}

// settle decides the classes that depend on the reply's code.
func settle(c Class, code int) Class {
	temporary := code == 0 || code/100 == 4
	switch {
	case c == ClassByCode && temporary, c == ClassByCodeRecipient && temporary:
		return ClassBusy
	case c == ClassByCode:
		return ClassFix
	case c == ClassByCodeRecipient:
		return ClassNever
	}
	return c
}

func retryNow(said Said) Retry {
	p, _ := paces(ClassNow)
	after, named := Delay(said.Text, said.At)
	r := Retry{Advice: RetryNow, After: after, Schedule: p.schedule(), GiveUp: p.giveUp,
		Text: "Send it again at once: " + p.why + "."}
	if named {
		r.Text = fmt.Sprintf("Send it again in %s: the reply says so.", Words(after))
	}
	return r
}

func retryLater(p pace, said Said) Retry {
	after, named := Delay(said.Text, said.At)
	why := p.why
	if named {
		p.first, why = after, "the reply names this delay"
	}
	s := p.schedule()
	return Retry{
		Advice: RetryLater, After: p.first, Schedule: s, GiveUp: p.giveUp,
		Text: fmt.Sprintf("Try again in %s, then ever more slowly for %s: %s.", Words(p.first), Words(p.giveUp), why),
	}
}

// scheduleMax bounds a schedule's length; the last wait is meant to be
// repeated until the time to give up.
const scheduleMax = 12

// schedule returns the waits between tries, doubling up to the longest, as
// long as they fit into the time after which to give up.
func (p pace) schedule() []time.Duration {
	var waits []time.Duration
	wait, total := p.first, time.Duration(0)
	for len(waits) < scheduleMax && total+wait <= p.giveUp {
		waits = append(waits, wait)
		total += wait
		wait = min(2*wait, max(p.longest, p.first))
	}
	return waits
}

// Words writes a duration as a person would say it: "45 seconds", "5
// minutes", "2 hours", "4 days".
func Words(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour || d == time.Hour:
		return count(int((d+30*time.Minute)/time.Hour), "hour")
	case d >= 2*time.Minute || d == time.Minute:
		return count(int((d+30*time.Second)/time.Minute), "minute")
	}
	return count(int((d+time.Second/2)/time.Second), "second")
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// Known reports whether a class is one of those above.
func (c Class) Known() bool {
	_, paced := paces(c)
	return paced || c == ClassFix || c == ClassNever || c == ClassByCode || c == ClassByCodeRecipient
}
