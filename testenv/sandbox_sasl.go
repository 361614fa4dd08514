package testenv

import "github.com/emersion/go-sasl"

// loginServer is the server's side of AUTH LOGIN, which go-sasl lacks: two
// prompts, in the spelling that clients look for (draft-murchison-sasl-login).
type loginServer struct {
	signIn func(user, password string) error
	asked  int
	user   string
}

// Next takes an answer and gives the next prompt.
func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	if l.asked == 0 && response == nil {
		l.asked = 1
		return []byte("Username:"), false, nil
	}
	switch l.asked {
	case 0, 1:
		l.user, l.asked = string(response), 2
		return []byte("Password:"), false, nil
	case 2:
		l.asked = 3
		return nil, true, l.signIn(l.user, string(response))
	}
	return nil, false, sasl.ErrUnexpectedClientResponse
}
