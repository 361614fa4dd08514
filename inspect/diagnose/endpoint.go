package diagnose

import "regexp"

// endpointForm is a host and a port for mail, as the errors of clients name
// them: "dial tcp 192.0.2.10:587", "connect ECONNREFUSED smtp.example.com:465".
// Other ports are left alone: line numbers of a stack trace look the same.
var endpointForm = regexp.MustCompile(`(?i)(?:^|[\s"'(/])((?:[a-z0-9-]+\.)+[a-z0-9-]+):(25|465|587|1025|2465|2525|2587)\b`)

// endpoint returns the host and the port that a text names as the smarthost's;
// both are empty when it names none.
func endpoint(text string) (host, port string) {
	if m := endpointForm.FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return "", ""
}
