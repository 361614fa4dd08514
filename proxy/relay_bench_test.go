//go:build unix

package proxy_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// BenchmarkRelay measures sessions in clear through the proxy against the same
// through a tube of two io.Copy, in turns. Nobody keeps the record. It reports
// what [BenchmarkPassthrough] does.
func BenchmarkRelay(b *testing.B) {
	for _, s := range []struct {
		name      string
		messages  int
		pipelined bool
	}{
		{"one-message", 1, false},
		{"many-messages", 50, false},
		{"pipelined", 50, true},
	} {
		b.Run(s.name, func(b *testing.B) {
			l := listenAt(b)
			go answerAll(l)
			ways := [2]string{tube(b, l.Addr().String()), through(b, l.Addr().String(), false)}
			var bills [2]bill
			for i := 0; b.Loop(); i++ {
				for k := range ways {
					k ^= i & 1
					start, used := time.Now(), cpuTime()
					send(b, ways[k], s.messages, s.pipelined)
					bills[k].wall = append(bills[k].wall, float64(time.Since(start)))
					bills[k].cpu = append(bills[k].cpu, float64(cpuTime()-used))
				}
			}
			report(b, "time", median(bills[0].wall), median(bills[1].wall))
			report(b, "cpu", median(bills[0].cpu), median(bills[1].cpu))
		})
	}
}

// send plays an app that sends messages of 1 KB in one session.
func send(b *testing.B, addr string, messages int, pipelined bool) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	body := "Subject: x\r\n\r\n" + strings.Repeat("All work and no play makes Jack a dull boy.\r\n", 22) + ".\r\n"
	envelope := []string{"MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.net>\r\n", "DATA\r\n"}
	if pipelined {
		envelope = []string{strings.Join(envelope, "")}
	}
	listen(b, in, 1)
	speak(b, conn, in, "EHLO app.example.com\r\n", 1)
	for range messages {
		for _, group := range envelope {
			speak(b, conn, in, group, strings.Count(group, "\n"))
		}
		speak(b, conn, in, body, 1)
	}
	speak(b, conn, in, "QUIT\r\n", 1)
}

func speak(b *testing.B, conn net.Conn, in *bufio.Reader, text string, replies int) {
	if _, err := io.WriteString(conn, text); err != nil {
		b.Fatal(err)
	}
	listen(b, in, replies)
}

func listen(b *testing.B, in *bufio.Reader, replies int) {
	for range replies {
		if _, err := in.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
}

// answerAll plays an upstream that takes all mail.
func answerAll(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = takeMail(conn)
		}()
	}
}

func takeMail(conn net.Conn) error {
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	_, _ = out.WriteString("220 mx ready\r\n")
	for inBody := false; ; {
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case inBody && string(line) != ".\r\n":
			continue
		case string(line) == "DATA\r\n":
			inBody = true
			_, _ = out.WriteString("354 go\r\n")
			continue
		}
		inBody = false
		_, _ = out.WriteString("250 2.0.0 ok\r\n")
	}
}
