package proxy_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// TestReactorsSettleDown has a reactor for each processor, and waits until each
// processor has a thread that stays there and gives way.
func TestReactorsSettleDown(t *testing.T) {
	var mine unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mine); err != nil {
		t.Fatal(err)
	}
	up := tape(t, "<- 220 mx ready\n-> NOOP\n<- 250 ok\n! eof\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Reactors = mine.Count() })
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("NOOP\r\n")
	a.hear("250 ok\r\n")
	late := time.Now().Add(10 * time.Second)
	for {
		places := map[string]bool{}
		for _, list := range allowed(t, unix.SCHED_BATCH) {
			if !strings.ContainsAny(list, ",-") {
				places[list] = true
			}
		}
		if len(places) == mine.Count() {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("processors %v have a thread that stays there, want %d", places, mine.Count())
		}
	}
}

// allowed lists the processors of each thread of this process that is scheduled
// in a way.
func allowed(t *testing.T, policy uint32) (lists []string) {
	paths, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		thread, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		if as, err := unix.SchedGetAttr(thread, 0); err != nil || as.Policy != policy {
			continue
		}
		_, rest, _ := strings.Cut(string(text), "Cpus_allowed_list:")
		list, _, _ := strings.Cut(rest, "\n")
		lists = append(lists, strings.TrimSpace(list))
	}
	return lists
}
