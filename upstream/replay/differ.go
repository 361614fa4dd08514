package replay

// Difference is one thing in which two sessions are not the same.
type Difference struct {
	Where string // what was compared: "app EHLO under TLS", "RCPT", "certificate" …
	A, B  string // what either showed; empty where it showed nothing
	Why   string // in words, for a person
}
