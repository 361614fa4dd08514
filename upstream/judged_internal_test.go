package upstream

import (
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

func TestJudgedHoldsForAMinute(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	chain := func(ends time.Duration) []*x509.Certificate {
		return []*x509.Certificate{{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(ends)}}
	}
	for _, test := range []struct {
		name  string
		ends  time.Duration
		after time.Duration
		want  bool
	}{
		{"at once", time.Hour, 0, true},
		{"within the minute", time.Hour, 59 * time.Second, true},
		{"a minute later", time.Hour, time.Minute, false},
		{"before the chain ends", 10 * time.Second, 9 * time.Second, true},
		{"when the chain ends", 10 * time.Second, 10 * time.Second, false},
		{"an ended chain", -time.Minute, 30 * time.Second, true},
	} {
		j, key := newJudgements(), keyOfJudgement("mx.test", [][]byte{{1}}, nil)
		j.keep(key, now, chain(test.ends), &session.TLS{Verify: session.VerifyName, Error: "x", Version: "TLS 1.2"})
		var got session.TLS
		if ok := j.recall(key, now.Add(test.after), &got); ok != test.want {
			t.Errorf("%s: recalled %t, want %t", test.name, ok, test.want)
		}
		if test.want && (got.Verify != session.VerifyName || got.Error != "x" || got.Version != "") {
			t.Errorf("%s: got %+v, want the judgement and nothing else", test.name, got)
		}
	}
}

func TestJudgedTellsChainsApart(t *testing.T) {
	keys := map[judgedKey]string{}
	for _, in := range []struct {
		host   string
		sent   [][]byte
		staple []byte
	}{
		{"a", [][]byte{{1, 2}}, nil}, {"b", [][]byte{{1, 2}}, nil}, {"a", [][]byte{{1}, {2}}, nil},
		{"a", [][]byte{{1, 2}}, []byte{3}}, {"a", [][]byte{{3}, {1, 2}}, nil}, {"a", nil, nil},
	} {
		key, text := keyOfJudgement(in.host, in.sent, in.staple), fmt.Sprint(in)
		if other, taken := keys[key]; taken {
			t.Errorf("%s and %s have the same key", other, text)
		}
		keys[key] = text
	}
}

func TestJudgedIsBounded(t *testing.T) {
	j, now := newJudgements(), time.Now()
	for i := range 3 * maxJudged {
		j.keep(keyOfJudgement(fmt.Sprint(i), nil, nil), now, nil, &session.TLS{})
	}
	if len(j.seen) > maxJudged {
		t.Errorf("got %d judgements kept, want at most %d", len(j.seen), maxJudged)
	}
}
