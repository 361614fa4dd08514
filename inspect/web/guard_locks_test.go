package web

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/bcrypt"
)

func asking(from, user, password string) *http.Request {
	r := httptest.NewRequest("GET", "http://proxy.example/", nil)
	r.RemoteAddr = from
	r.SetBasicAuth(user, password)
	return r
}

// TestLocksFlood has one address send passwords without end, all tries being
// slow. Another address still gets its turn, and who is in stays in.
func TestLocksFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		l := newLocks(map[string][]byte{"me": hash})
		if err := l.open(asking("192.0.2.1:1", "me", "right")); err != nil {
			t.Fatalf("the owner: got %v, want to come in", err)
		}
		for range cap(l.atOnce) { // tries that take their time
			l.atOnce <- struct{}{}
		}
		answers := make(chan error, 1000)
		for i := range cap(answers) {
			go func() {
				answers <- l.open(asking("[2001:db8::"+strconv.Itoa(i+1)+"]:99", "me", "guess "+strconv.Itoa(i)))
			}()
		}
		synctest.Wait()
		if n := cap(answers) - len(answers); n != mostTries {
			t.Errorf("got %d tries of one network waiting, want %d", n, mostTries)
		}
		if err := l.open(asking("192.0.2.1:2", "me", "right")); err != nil {
			t.Errorf("who is in: got %v during a flood, want to stay in", err)
		}
		other := make(chan error, 1)
		go func() { other <- l.open(asking("198.51.100.7:2", "me", " right")) }()
		synctest.Wait()
		for range cap(l.atOnce) {
			<-l.atOnce
		}
		if err := <-other; err != errLocked {
			t.Errorf("another address with a wrong password: got %v, want %v", err, errLocked)
		}
		synctest.Wait()
		if len(l.waiting) != 0 {
			t.Errorf("got %v kept of those who have gone", l.waiting)
		}
		busy := 0
		for range cap(answers) {
			if <-answers == errTries {
				busy++
			}
		}
		if want := cap(answers) - mostTries; busy != want {
			t.Errorf("got %d turned away for their number, want %d", busy, want)
		}
	})
}

// TestLocksStandIn compares for a user who is not known with the hash of the
// same known one each time: hashes of two costs would tell the two apart.
func TestLocksStandIn(t *testing.T) {
	users := map[string][]byte{}
	for cost := bcrypt.MinCost; cost < bcrypt.MinCost+4; cost++ {
		hash, err := bcrypt.GenerateFromPassword([]byte("right"), cost)
		if err != nil {
			t.Fatal(err)
		}
		users["user"+strconv.Itoa(cost)] = hash
	}
	l, seen := newLocks(users), map[string]bool{}
	for i := range 64 {
		name := "nobody" + strconv.Itoa(i)
		first, known := l.hashOf(name)
		if again, _ := l.hashOf(name); string(again) != string(first) || known {
			t.Errorf("%s: got %s and %s, want the same hash of another user", name, first, again)
		}
		seen[string(first)] = true
	}
	if len(seen) != len(users) {
		t.Errorf("got %d stand-ins for 64 users, want each of %d", len(seen), len(users))
	}
	if hash, known := l.hashOf("user5"); !known || string(hash) != string(users["user5"]) {
		t.Errorf("user5: got %s, want their own", hash)
	}
}
