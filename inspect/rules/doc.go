// Package rules is the knowledge base: which causes there are, which replies
// show them, and what to do. The knowledge stands in TOML files beside this
// one; the code only reads and compares.
//
//	catalogue.toml          every cause, with explanation and fix
//	providers.toml          how smarthosts and their software are recognized
//	FAMILY/NAME.toml        one rule each; generic/ holds the fall-backs
//
// It knows nothing of sessions, entries or the network, and it decides
// nothing that needs more than one reply: that is for inspect/diagnose.
//
// Its one rule: there is no order between files. The rule with the most
// specific conditions wins (see [Rule.Points]), every rule carries replies
// that it must win among all rules, and a tie is an error.
package rules
