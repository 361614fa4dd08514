package probe

import (
	"context"

	"smtp-proxy/proxy/session"
)

const nameDialogue = "dialogue"

// dialogueParts are the parts of a dialogue, in their order.
func dialogueParts() []string {
	return []string{
		partConnect, partGreeting, partEHLO, partSTARTTLS, partTLS, partCertificate,
		partAuth, partMail, partRcpt, partDelivery,
	}
}

// DialogueStep goes through a session as an app does, and says each part of it
// as it happens.
func (steps) DialogueStep() step {
	return step{
		name:  nameDialogue,
		also:  dialogueParts(),
		rank:  30,
		about: "one session as an app has it: greeting, EHLO, TLS, sign-in, sender and recipient",
		run:   examineDialogue,
	}
}

func examineDialogue(ctx context.Context, x *examination) {
	d := x.prober.newDialogue(x.target, x.want.Script)
	l := newLadder(d, func(line Line) { x.say(nameDialogue, line) })
	d.seen, d.turned = l.see, l.turn
	d.answer = func(e session.Entry) { x.answer(x.prober.answer(x.target, e)) }
	d.hold(ctx)
	l.end()
	x.known.dialogue, x.known.spoken = d.entries, d.target
}
