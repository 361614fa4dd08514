package probe

import (
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// portsAs makes a verdict of what each port did: "587 timeout, 465 ok".
func portsAs(t *testing.T, text string) *portsVerdict {
	t.Helper()
	var list []contact
	for part := range strings.SplitSeq(text, ", ") {
		digits, result, _ := strings.Cut(part, " ")
		at, err := upstream.ParseTarget("192.0.2.1:"+digits, upstream.ModeAuto)
		if err != nil {
			t.Fatal(err)
		}
		c := alive("192.0.2.1")
		if result != "ok" {
			c = dead("192.0.2.1", session.FaultClass(result), "")
		}
		c.at = at
		list = append(list, c)
	}
	return &portsVerdict{target: list[0].at, own: &list[0], others: list[1:]}
}

func TestPortsVerdict(t *testing.T) {
	const blocked = "connect.port-blocked"
	tests := []struct {
		ports string // the smarthost's own first
		cause string
		words string
	}{
		{"587 timeout, 25 timeout, 465 ok, 2525 refused, 443 ok", blocked,
			"port 587 gives no answer from here, 465 and 443 do: something on the path blocks 587; use 465"},
		{"25 timeout, 465 ok, 587 ok, 2525 timeout, 443 timeout", blocked,
			"port 25 gives no answer from here, 465 and 587 do: something on the path blocks 25; use 587 or 465"},
		{"587 timeout, 25 timeout, 465 ok, 443 timeout", blocked,
			"port 587 gives no answer from here, 465 does: something on the path blocks 587; use 465"},
		{"587 timeout, 25 timeout, 465 timeout, 443 ok", "",
			"port 587 gives no answer from here, nor does any other port for mail, and 443 does: the host is up, and mail is blocked on the path or not taken from this network"},
		{"587 timeout, 25 refused, 465 timeout, 443 refused", "",
			"port 587 gives no answer from here, 25 and 443 are refused: something drops what goes to 587, and no port answers with a service"},
		{"587 timeout, 25 timeout, 465 timeout, 443 timeout", "",
			"no port of 192.0.2.1 gives an answer from here (587, 25, 465 and 443): the host is down, or all that goes to it is dropped"},
		{"587 refused, 25 ok, 465 ok, 443 timeout", "",
			"port 587 is refused, 25 and 465 answer: nothing listens on 587 there, or a firewall rejects it; use 465 or 25"},
		{"587 refused, 25 refused, 443 ok", "", "port 587 is refused, 443 answers, and no other port for mail: the host is up and takes no mail there"},
		{"587 refused, 25 refused, 443 refused", "", "port 587 is refused, and no other port answers: no mail service runs on the host, or a firewall rejects this machine"},
		{"587 ok, 25 ok, 465 refused, 2525 timeout, 443 timeout", "", "ports 587 and 25 answer, 465 is refused, 2525 and 443 give no answer"},
		{"587 ok", "", "port 587 answers"},
		{"587 unreachable, 25 unreachable", "", "192.0.2.1:587 cannot be reached (in the system's words): a router or this machine's own table has no way there; no other port answers either"},
		{"587 permission, 465 ok", "", "192.0.2.1:587 may not be connected to (in the system's words): a firewall or policy of this machine forbids it; 465 answers"},
	}
	for _, test := range tests {
		v := portsAs(t, test.ports)
		if got := v.cause(); got != test.cause {
			t.Errorf("%s: got cause %q, want %q", test.ports, got, test.cause)
		}
		if got := v.words(); got != test.words {
			t.Errorf("%s:\ngot  %q\nwant %q", test.ports, got, test.words)
		}
	}
}
