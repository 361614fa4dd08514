package replay_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream/replay"
)

// documented are replies of providers and servers with the cause behind each.
type documented struct{ Reply, Cause string }

func documentedReplies(t *testing.T) (all []documented) {
	t.Helper()
	const folder = "../../inspect/diagnose/testdata/"
	for line := range strings.Lines(read(t, folder+"documented.jsonl")) {
		var d documented
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, d)
	}
	for _, file := range []string{"replies.txt", "clients.txt"} {
		for line := range strings.Lines(read(t, folder+file)) {
			if cause, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok && !strings.HasPrefix(line, "#") {
				all = append(all, documented{strings.ReplaceAll(text, `\n`, "\n"), cause})
			}
		}
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Normalising must not hide from whoever compares two replies that something
// else is the matter now.
func TestCausesStayDistinct(t *testing.T) {
	replies := documentedReplies(t)
	seen := map[string]documented{}
	for _, d := range replies {
		normal := strings.ToLower(replay.Normal(d.Reply))
		other, ok := seen[normal]
		if ok && other.Cause != d.Cause && !strings.EqualFold(words(other.Reply), words(d.Reply)) {
			t.Errorf("%s and %s are both %q:\n%q\n%q", other.Cause, d.Cause, normal, other.Reply, d.Reply)
		}
		seen[normal] = d
	}
	if len(replies) < 600 || len(seen) < len(replies)*9/10 {
		t.Errorf("%d replies have %d normal texts, too few to say anything", len(replies), len(seen))
	}
}

// words is a reply in one line: the same words broken otherwise are the same.
func words(reply string) string {
	if r, ok := wire.ParseReply(reply); ok {
		reply = r.Text()
	}
	return strings.Join(strings.Fields(reply), " ")
}

// What a reply says to a person has to be there still.
func TestLittleIsReplaced(t *testing.T) {
	kept, all := 0, 0
	for _, d := range documentedReplies(t) {
		all += len(d.Reply)
		kept += len(strings.NewReplacer("{id}", "", "{time}", "", "{ip}", "", "{addr}", "", "{host}", "", "{n}", "").Replace(replay.Normal(d.Reply)))
	}
	if kept*100 < all*85 {
		t.Errorf("%d of %d octets of the documented replies are left, want at least 85 %%", kept, all)
	}
}
