//go:build rigs

package rigs_test

import (
	"fmt"
	"net/textproto"
)

// dialog is an app that the rigs drive command by command.
type dialog struct{ *textproto.Conn }

// dial connects and introduces itself.
func dial(addr, helo string) (*dialog, error) {
	c, err := textproto.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	d := &dialog{c}
	if _, _, err := c.ReadResponse(220); err != nil {
		c.Close()
		return nil, err
	}
	if err := d.say(250, "EHLO %s", helo); err != nil {
		c.Close()
		return nil, err
	}
	return d, nil
}

// say sends a command and waits for its reply.
func (d *dialog) say(want int, format string, args ...any) error {
	if err := d.PrintfLine(format, args...); err != nil {
		return err
	}
	_, _, err := d.ReadResponse(want)
	return err
}

// hand sends a message up to its final dot; verdict reads what became of it.
func (d *dialog) hand(to, id, fields string) error {
	if err := d.say(250, "MAIL FROM:<%s>", account); err != nil {
		return err
	}
	if err := d.say(250, "RCPT TO:<%s>", to); err != nil {
		return err
	}
	if err := d.say(354, "DATA"); err != nil {
		return err
	}
	return d.PrintfLine("%s", fmt.Sprintf("Message-ID: <%s>\r\nFrom: <%s>\r\nSubject: load\r\n%s\r\none line\r\n.", id, account, fields))
}

func (d *dialog) verdict() error {
	_, _, err := d.ReadResponse(250)
	return err
}
