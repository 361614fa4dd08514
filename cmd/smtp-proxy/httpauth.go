package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// mostCost is the greatest bcrypt cost that is accepted: about two seconds a
// try, twice as many with each more.
const mostCost = 15

// readUsers reads a file of user:bcrypt lines, as htpasswd -B writes them.
// Empty lines and those that begin with # are left out. No error repeats a
// line: someone may have put a password there.
func readUsers(path string) (map[string][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--http-auth: %w: name a file of user:bcrypt lines", err)
	}
	users := map[string][]byte{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		user, hash, _ := strings.Cut(text, ":")
		cost, err := bcrypt.Cost([]byte(hash))
		switch {
		case err != nil || user == "":
			return nil, fmt.Errorf("--http-auth: %s line %d is not user:bcrypt: make it with htpasswd -nB USER", path, n)
		case cost > mostCost:
			return nil, fmt.Errorf("--http-auth: %s line %d has the bcrypt cost %d, which makes each try slow: make it with htpasswd -nB -C %d USER or less", path, n, cost, mostCost)
		}
		users[user] = []byte(hash)
	}
	if lines.Err() != nil || len(users) == 0 {
		return nil, errors.Join(fmt.Errorf("--http-auth: %s names nobody: add a line made with htpasswd -nB USER", path), lines.Err())
	}
	return users, nil
}
