package inspect

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestForget plays scripts in turn through one assembler that forgets: each
// session is what a new assembler makes of it, and stays so while the next is
// played.
func TestForget(t *testing.T) {
	mailed := "> MAIL FROM:<a@b>\n< MAIL 250 ok\n> RCPT TO:<c@d>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\nbody Subject: s\\r\\n\\r\\n\ndata . 20\n< . 250 2.0.0 taken"
	scripts := []string{
		"auth PLAIN me\n< AUTH 235 ok\ntls app\n" + mailed,
		"> EHLO app\n< EHLO 250 mx.test\n> MAIL FROM:<x@y>\n> RCPT TO:<z@y>\n> DATA\nbody Subject: half of",
		strings.Repeat(mailed+"\n", 100),
		"odd shutdown\nedit one\nedit two\n> MAIL FROM:<x@y>\n< MAIL 550 5.7.1 no",
		"> QUIT",
	}
	one := new(Assembler)
	var got, want []*Session
	for range 2 {
		for _, script := range scripts {
			playOn(t, one, script)
			one.Close(start.Add(time.Second))
			got = append(got, one.Session())
			one.Forget()
			fresh := play(t, script)
			fresh.Close(start.Add(time.Second))
			want = append(want, fresh.Session())
		}
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("session %d of %q:\ngot  %+v\nwant %+v", i, scripts[i%len(scripts)], got[i], want[i])
		}
	}
}
