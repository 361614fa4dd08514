package proxy_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

const takesOne = "<- 220 mx ready\n-> DATA\n<- 354 go\n! data\n<- 250 ok\n! eof\n! close"

// TestLargeMessageIsRecorded sends a message of many times the recorder's
// memory as fast as it goes: the record has all of it.
func TestLargeMessageIsRecorded(t *testing.T) { carried(t, largeMessageIsRecorded) }

func largeMessageIsRecorded(t *testing.T) {
	up := tape(t, takesOne, testenv.TapeOptions{Patience: time.Minute})
	r := start(t, up.Addr(), nil)
	body := sendLarge(t, r.addr, 24<<20)
	var got []byte
	for _, rec := range r.wait() {
		if rec.Body != nil && rec.Dropped > 0 {
			t.Errorf("%d octets were dropped", rec.Dropped)
		}
		got = append(got, rec.Body...)
	}
	if !bytes.Equal(got, body) {
		t.Errorf("got %d octets in the record, want the %d that were sent", len(got), len(body))
	}
}

// TestLargeMessageWithoutKeeper sends one while nobody keeps the record: it
// arrives all the same, and the record says that its end is missing.
func TestLargeMessageWithoutKeeper(t *testing.T) { carried(t, largeMessageWithoutKeeper) }

func largeMessageWithoutKeeper(t *testing.T) {
	up := tape(t, takesOne, testenv.TapeOptions{Patience: time.Minute})
	target, err := upstream.ParseTarget(up.Addr(), upstream.ModeNone)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := upstream.New(upstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := proxy.Options{
		Routes:   []proxy.Route{{Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: connector}},
		Recorder: proxy.NewRecorder(), Log: zerolog.Nop(),
	}
	server := serve(t, o)
	body := sendLarge(t, server.Addrs()[0].String(), 24<<20)
	done, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(done); err != nil {
		t.Fatal(err)
	}
	o.Recorder.Close()
	kept, dropped := 0, 0
	for {
		batch, err := o.Recorder.Next(context.Background())
		if err != nil {
			break
		}
		for _, rec := range batch {
			kept += len(rec.Body)
			if rec.Body != nil {
				dropped += rec.Dropped
			}
		}
	}
	if kept+dropped != len(body) || dropped == 0 {
		t.Errorf("got %d octets kept and %d owned up to as dropped, want %d in all", kept, dropped, len(body))
	}
}

// serve runs a proxy whose record is for the test to fetch.
func serve(t *testing.T, o proxy.Options) *proxy.Server {
	t.Helper()
	if t.Name() == "TestLargeMessageWithoutKeeper/"+byGoroutines {
		proxy.WithoutReactors(&o)
	}
	server, err := proxy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(context.Background())
	}()
	t.Cleanup(func() {
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Shutdown(done)
		<-served
	})
	return server
}

// sendLarge sends one message and returns it as it was sent, without its end.
func sendLarge(t *testing.T, addr string, size int) []byte {
	t.Helper()
	line := []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n")
	body := bytes.Repeat(line, size/len(line))
	a := dial(t, addr)
	a.hear("220 mx ready\r\n")
	a.say("DATA\r\n")
	a.hear("354 go\r\n")
	a.say(string(body) + ".\r\n")
	a.hear("250 ok\r\n")
	a.conn.Close()
	return body
}
