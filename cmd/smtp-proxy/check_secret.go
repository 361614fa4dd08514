package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"smtp-proxy/upstream/probe"
)

// secretFiles name where the secret of a sign-in is. It is never a flag's
// value: command lines stand in process lists and shell histories.
type secretFiles struct{ password, token string }

// longestSecret is more than any token has, in octets.
const longestSecret = 64 << 10

// check refuses half a sign-in.
func (f secretFiles) check(s probe.Script) error {
	switch {
	case f.password != "" && f.token != "":
		return errors.New("--password-file and --token-file: a sign-in takes one of them")
	case s.User == "" && s.Mechanism != "":
		return errors.New("--auth needs --user and --password-file: say who signs in")
	case s.User == "":
		return errors.New("--password-file and --token-file need --user: say who signs in")
	case f.password == "" && f.token == "":
		return errors.New("--user needs --password-file FILE, or --token-file FILE: - reads the secret from stdin")
	}
	return nil
}

// read puts the secret into the script.
func (f secretFiles) read(s *probe.Script, stdin io.Reader) error {
	var password, token error
	if f.password != "" {
		s.Password, password = readSecret("--password-file", f.password, stdin)
	}
	if f.token != "" {
		s.Token, token = readSecret("--token-file", f.token, stdin)
	}
	return errors.Join(password, token)
}

// readSecret reads a file of one line. Its errors never repeat what it holds.
func readSecret(flag, path string, stdin io.Reader) (string, error) {
	if path == "-" {
		return oneSecret(flag+" -", stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w: name a file with one line, the secret, or - for stdin", flag, err)
	}
	defer file.Close()
	return oneSecret(flag+" "+path, file)
}

func oneSecret(where string, from io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(from, longestSecret+1))
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", where, err)
	case len(data) > longestSecret:
		return "", fmt.Errorf("%s holds more than %d octets: that is no password or token", where, longestSecret)
	case text == "":
		return "", fmt.Errorf("%s is empty: write the secret into it, as one line", where)
	case strings.ContainsAny(text, "\r\n"):
		return "", fmt.Errorf("%s holds several lines: write the secret alone, as one line", where)
	}
	return text, nil
}
