package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// probeCertificate is the name of the probe that makes a handshake of the
// proxy's own with the smarthost, to see its certificate.
const probeCertificate = "certificate"

// probe returns the latest answer of a probe that could be asked, nil when
// there is none.
func (f *facts) probe(name string) *session.Entry {
	for i := len(f.probes) - 1; i >= 0; i-- {
		if p := f.probes[i].Probe; p.Name == name && p.Result != "skip" {
			return f.probes[i]
		}
	}
	return nil
}

// weigh lets the answers of probes change what was found.
func (e *Engine) weigh(f *facts, all []symptom) {
	if len(f.probes) == 0 {
		return
	}
	for _, u := range e.uses {
		answer := f.probe(u.probe)
		if u.weigh == nil || answer == nil {
			continue
		}
		e.contain("answer of "+u.probe, f.s.ID, func() { u.weigh(f, answer, all) })
	}
	e.contain("answers", f.s.ID, func() { f.agree(e.uses, all) })
}

// agree makes the answers of all other probes evidence for the causes that
// they point to themselves: a check asks more than a failed session does.
func (f *facts) agree(known []use, all []symptom) {
	for _, p := range f.probes {
		if p.Probe.Result != "fail" || slices.ContainsFunc(known, func(u use) bool { return u.probe == p.Probe.Name }) {
			continue
		}
		for i := range all {
			if s := &all[i]; s.cause == p.Probe.Cause {
				s.proof(p, "")
			}
		}
	}
}

// proof adds an answer to the evidence, and a sentence about it behind the
// explanation; without one, the answer's own words.
func (s *symptom) proof(answer *session.Entry, sentence string) {
	if sentence == "" {
		sentence = sentenceOf(answer.Text)
	}
	s.evidence = appendEvidence(s.evidence, []*session.Entry{answer})
	s.more = strings.TrimSpace(s.more + " " + sentence)
}

// sentenceOf makes a sentence of an answer's words.
func sentenceOf(text string) string {
	text = strings.TrimRight(firstLine(text), ". ")
	if text == "" {
		return ""
	}
	return "Asked by the proxy: " + text + "."
}

// better returns the entry that has the best verdict on the chain that an
// entry shows: a probe's, whose chain was completed as far as that could be
// done, if it met the same certificate.
func (f *facts) better(e *session.Entry) *session.Entry {
	p := f.probe(probeCertificate)
	if p == nil || p.TLS == nil || len(p.TLS.Chain) == 0 || len(e.TLS.Chain) == 0 {
		return e
	}
	ours, theirs := &e.TLS.Chain[0], &p.TLS.Chain[0]
	same := p.TLS.Verify == e.TLS.Verify && len(p.TLS.Repaired) == 0
	if ours.Serial != theirs.Serial || ours.Subject != theirs.Subject || p.TLS.Verify == session.VerifyOK || same {
		return e
	}
	return p
}

// chainWords says of a chain what its verdict alone does not: the missing
// certificate and where it is, who stands in between.
func chainWords(t *session.TLS) string {
	return strings.TrimSpace(repairedWords(t) + " " + interceptorWords(t))
}

// repairedWords names the certificates that were missing and found.
func repairedWords(t *session.TLS) string {
	if t.Verify != session.VerifyIncomplete || len(t.Repaired) == 0 || len(t.Chain) == 0 {
		return ""
	}
	var missing []string
	for _, c := range t.Repaired {
		missing = append(missing, c.Subject)
	}
	where := ""
	if urls := t.Chain[len(t.Chain)-1].AIA; len(urls) > 0 {
		where = ", published at " + urls[0]
	}
	return fmt.Sprintf("Missing is %s%s. With it the chain verifies: the proxy fetched it and tried.", strings.Join(missing, " and "), where)
}

func interceptorWords(t *session.TLS) string {
	if t.Interceptor == "" || t.Verify == session.VerifyOK {
		return ""
	}
	return fmt.Sprintf("The certificate shows who stands in between: %s.", t.Interceptor)
}

func interceptorFix(t *session.TLS) []string {
	if interceptorWords(t) == "" {
		return nil
	}
	return []string{"Except {host} from what " + t.Interceptor + " does, or switch its scanning of mail off: whatever else is done, it reads along."}
}

// taken adds to a refused offer of the proxy's what the smarthost does take,
// when it was asked with all versions and suites that there are.
func (f *facts) taken(s *symptom) {
	p := f.probe(probeCertificate)
	if s.cause != "tls.version-mismatch" && s.cause != "tls.cipher-mismatch" || p == nil || p.TLS == nil || p.TLS.Version == "" {
		return
	}
	s.more = fmt.Sprintf("Asked with every version and suite that this program knows, it took %s with %s.", p.TLS.Version, or(p.TLS.Cipher, "a suite that is not known"))
}

// twoFaces reports that a certificate which failed was in order when the proxy
// asked once more.
func (f *facts) twoFaces(e *session.Entry) string {
	p := f.probe(probeCertificate)
	if p == nil || p.Probe.Cached || p.TLS == nil || !p.TLS.Verified || e.Kind == session.KindProbe || e.TLS == nil || e.TLS.Verify == session.VerifyOK || p.TLS.ServerName != e.TLS.ServerName {
		return ""
	}
	return "Asked once more, the smarthost showed a certificate that verifies: it was replaced meanwhile, or several machines stand behind the name and one has the old one."
}
