package testenv

// Unprovoked returns the causes of the catalogue that no fault shows, and why.
func Unprovoked() map[string]string {
	return map[string]string{
		"connect.port-blocked": "needs a host whose other SMTP ports (25, 465, 587) answer: fixed ports, and the right to open them",
		"proxy.policy-blocked": "the relay's own: its policy decides, no peer",
		"proxy.fault-injected": "the relay's own: it is told to",
		"proxy.shutting-down":  "the relay's own: it is stopped in the middle of a session",
		"proxy.limit-reached":  "the relay's own: its settings decide",
		"proxy.loop":           "the relay's own: its upstream is itself",
	}
}
