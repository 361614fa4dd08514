package probe_test

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// rsaKey makes a public key in base64; it need not have a private half.
func rsaKey(t testing.TB, bits int) string {
	t.Helper()
	n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func edKey(t testing.TB) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(public)
}

// key publishes a record in strings of at most 200 octets, as long ones have to
// be.
func key(d *testenv.DNS, name, text string) {
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), 200) {
		b.WriteString(` "` + string(part) + `"`)
	}
	d.Add(name + ". 60 IN TXT" + b.String())
}

func TestDKIMStep(t *testing.T) {
	w := newWorld(t, settings{})
	long, short, tiny := rsaKey(t, 2048), rsaKey(t, 1024), rsaKey(t, 512)
	for name, text := range map[string]string{
		"google._domainkey.one.example":      "v=DKIM1; k=rsa; p=" + long,
		"default._domainkey.two.example":     "k=ed25519; p=" + edKey(t),
		"s1._domainkey.two.example":          "v=DKIM1; p=",
		"selector1._domainkey.weak.example":  "v=DKIM1; p=" + short,
		"s1._domainkey.tiny.example":         "v=DKIM1; p=" + tiny,
		"mail._domainkey.test.example":       "v=DKIM1; t=y:s; p=" + long,
		"mail._domainkey.cut.example":        "v=DKIM1; p=" + long[:50],
		"*._domainkey.none.example":          "v=DKIM1; p=",
		"mail._domainkey.foreign.example":    "some other text",
		"mail._domainkey.over.example":       "v=DKIM1; p=",
		"selector2._domainkey.onms.example":  "v=DKIM1; p=" + long,
		"twice._domainkey.unusual.example":   "v=DKIM1; p=" + long,
		"fm1._domainkey.customer.example":    "v=DKIM1; p=" + long,
		"key1._domainkey.two-at-one.example": "v=DKIM1; p=" + long,
	} {
		if rest, wild := strings.CutPrefix(name, "*."); wild {
			for _, selector := range append(selectors(t), "smtp-proxy-asks-for-no-key") {
				key(w.dns, selector+"."+rest, text)
			}
			continue
		}
		key(w.dns, name, text)
	}
	key(w.dns, "key1._domainkey.two-at-one.example", "v=DKIM1; p="+short)
	w.dns.CNAME("selector1._domainkey.alias.example", "selector2._domainkey.onms.example")
	for _, selector := range append(selectors(t), "smtp-proxy-asks-for-no-key") {
		w.dns.Trouble(selector+"._domainkey.broken.example", testenv.Refused)
	}
	for _, test := range []struct {
		host, from string
		want       []string
		result     string
	}{
		{"smtp.gmail.com", "a@one.example", []string{"ok one.example has keys under google (RSA 2048)"}, "ok"},
		{"smtp.example", "a@two.example", []string{"ok two.example has keys under default (Ed25519)", "ok the key s1 of two.example is revoked: p= is empty"}, "ok"},
		{"smtp.office365.com", "a@weak.example", []string{"warn the key selector1 of weak.example is RSA 1024: receivers take it still, 2048 bits are advised"}, "ok"},
		{"smtp.example", "a@tiny.example", []string{"warn the key s1 of tiny.example is RSA 512: receivers take no key below 1024 bits"}, "fail sender.dkim-failed"},
		{"smtp.example", "a@test.example", []string{"warn the key mail of test.example is RSA 2048: t=y: receivers take signed mail for unsigned"}, "fail sender.dkim-failed"},
		{"smtp.example", "a@cut.example", []string{"warn the key mail of cut.example is broken: p= is no"}, "fail sender.dkim-failed"},
		{"smtp.example", "a@two-at-one.example", []string{"warn the key key1 of two-at-one.example is broken: there are 2 records"}, "fail sender.dkim-failed"},
		{"smtp.example", "a@none.example", []string{"warn *._domainkey.none.example revokes every key"}, "fail sender.dkim-failed"},
		{"smtp.example", "a@over.example", []string{"warn the key mail of over.example is revoked: p= is empty"}, "fail sender.dkim-failed"},
		{"smtp.example", "a@alias.example", []string{"ok alias.example has keys under selector1 (RSA 2048)"}, "ok"},
		{"smtp.example", "a@foreign.example", []string{"skip not known: foreign.example has no key under any of the"}, "skip"},
		{"smtp.example", "a@unusual.example", []string{"skip not known: unusual.example has no key under any of the"}, "skip"},
		{"email-smtp.eu-west-1.amazonaws.com", "a@unusual.example", []string{"skip not known: Amazon SES makes up a selector for each customer; look for s="}, "skip"},
		{"smtp.fastmail.com", "a@unusual.example", []string{"skip not known: unusual.example has no key under fm1, fm2, fm3 and fm4, the selectors of Fastmail, nor under"}, "skip"},
		{"smtp.example", "a@broken.example", []string{"skip the keys of broken.example could not be asked for…REFUSED"}, "skip"},
		{"smtp.example", "", []string{"skip no sender given (--from)"}, ""},
	} {
		lines, answer := w.takes(t, "dkim", probe.Known{Host: test.host}, test.from)
		expect(t, test.host+" "+test.from, lines, test.want...)
		if got := strings.TrimSpace(answer.Probe.Result + " " + answer.Probe.Cause); got != test.result {
			t.Errorf("%s %s: answer %q, want %q", test.host, test.from, got, test.result)
		}
	}
}

func selectors(t *testing.T) []string {
	t.Helper()
	list, _, err := probe.LoadSenders("")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDKIMKey(t *testing.T) {
	long, ed := rsaKey(t, 2048), edKey(t)
	old, err := base64.StdEncoding.DecodeString(long)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(old)
	if err != nil {
		t.Fatal(err)
	}
	bare := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(public.(*rsa.PublicKey)))
	for text, want := range map[string]string{
		"v=DKIM1; p=" + long: "ok RSA 2048",
		"p=" + bare:          "ok RSA 2048",
		"v=DKIM1; p=" + long[:60] + " \t" + long[60:]:               "ok RSA 2048",
		"v=DKIM1; h=sha1:sha256; s=email; n=a note; p=" + long:      "ok RSA 2048",
		"v=DKIM1; h=sha1; p=" + long:                                "broken broken: h=sha1 leaves out sha256, the only digest that receivers take",
		"v=DKIM1; s=tlsrpt; p=" + long:                              "broken broken: s=tlsrpt: the key is not for mail",
		"p=" + long + "; v=DKIM1":                                   "broken broken: v= has to be DKIM1, and to come first",
		"v=DKIM1; k=ed25519; p=" + ed:                               "ok Ed25519",
		"v=DKIM1; k=ed25519; p=" + long:                             "broken broken: p= has 294 octets, a key of Ed25519 has 32",
		"v=DKIM1; k=dsa; p=" + long:                                 "broken broken: p= is of kind dsa, which receivers do not know",
		"v=DKIM1; k=rsa; p=" + ed:                                   "broken broken: p= is no RSA key",
		"v=DKIM1; k=rsa":                                            "broken broken: it has no key (p=)",
		`v=DKIM1; p="` + long + `"`:                                 "broken broken: p= is no base64: a part was lost, or a quotation mark or blank got in",
		"v=DKIM1; p=":                                               "revoked revoked: p= is empty: mail signed with it fails",
		"v=DKIM1; p=" + long + "; p=" + long:                        "broken broken: p= stands there twice",
		"v=DKIM1; p=" + base64.StdEncoding.EncodeToString(old[:90]): "broken broken: p= is no RSA key",
	} {
		result, words, _ := probe.KeyOf(text)
		if got := result + " " + words; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzKey promises that a key is what p= holds, and that every record has a
// verdict in words.
func FuzzKey(f *testing.F) {
	for _, text := range []string{"v=DKIM1; p=MTIz", "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "v=DKIM1; t=y; p=", "p", "p=00p="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		result, words, public := probe.KeyOf(text)
		if result == "" || words == "" {
			t.Errorf("%q: got %q %q, want a verdict", text, result, words)
		}
		pairs, _, _ := probe.TagsOf(text)
		for _, pair := range pairs {
			if pair[0] != "p" || public == nil {
				continue
			}
			// The last letters may hold bits that no octet needs; what is before
			// them spells the key in one way only.
			got, want := base64.StdEncoding.EncodeToString(public), strings.Join(strings.Fields(pair[1]), "")
			if last := max(0, len(want)-4); len(got) != len(want) || got[:last] != want[:last] {
				t.Errorf("%q: got the key %q, want %q", text, got, want)
			}
		}
	})
}
