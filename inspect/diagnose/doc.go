// Package diagnose says why a session failed: it reads the session's entries,
// turns what they show into symptoms, and symptoms into findings with cause,
// evidence, fix and advice on sending again.
//
// How this works. [Engine.Annotate] reads the entries once into facts. Then
// the detectors run, in the order of a session: network, TLS, greeting, the
// oddities that the core noted, replies, closes. Structured evidence comes
// first; a reply's words are the rules' business ([rules.Set.Match]), for
// which the detectors supply the context. A later detector sees what was
// found before it and keeps silent about consequences: an app that leaves
// behind a refusal is no second failure.
//
// In passthrough the handshake is the app's and the smarthost's own. What broke
// it is told by who ended it in whose turn, and from the answers of probes
// where TLS 1.3 hides the rest.
//
// It looks nothing up, sends nothing and stores nothing; what happened in
// other sessions it hears through [History], and what a probe could tell it
// says by [Engine.Questions]. The answers come back as entries.
//
// Its one rule: a healthy session has no finding, and every refusal that hurt
// the app has one, if only "unclassified".
package diagnose
