package compose_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// service is what the test reads of one service of docker-compose.yml.
type service struct {
	build   string
	command []string
	volumes []string
	ports   []string
}

// services reads the subset of YAML that docker-compose.yml is written in:
// services at two blanks, their keys at four, lists of items at six, commands
// as JSON arrays.
func services(t *testing.T) map[string]*service {
	t.Helper()
	all := map[string]*service{}
	section, key, current := "", "", (*service)(nil)
	for _, line := range strings.Split(uncommented(read(t, "docker-compose.yml")), "\n") {
		text := strings.TrimSpace(line)
		switch indent := len(line) - len(strings.TrimLeft(line, " ")); {
		case text == "":
		case indent == 0:
			section = text
		case section != "services:":
		case indent == 2:
			current = &service{}
			all[strings.TrimSuffix(text, ":")] = current
		case indent == 4:
			var value string
			key, value, _ = strings.Cut(text, ":")
			current.set(t, key, strings.TrimSpace(value))
		case key == "command":
			current.command = array(t, text)
		case strings.HasPrefix(text, "- "):
			current.set(t, key, strings.TrimPrefix(text, "- "))
		}
	}
	return all
}

func (s *service) set(t *testing.T, key, value string) {
	t.Helper()
	if value == "" {
		return
	}
	switch key {
	case "build":
		s.build = value
	case "command":
		s.command = array(t, value)
	case "volumes":
		s.volumes = append(s.volumes, value)
	case "ports":
		s.ports = append(s.ports, strings.Trim(value, `"`))
	}
}

// uncommented removes comments, and joins an array that is broken over lines.
func uncommented(text string) string {
	text = regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, "")
	return regexp.MustCompile(`,\n\s+`).ReplaceAllString(text, ", ")
}

func array(t *testing.T, text string) []string {
	t.Helper()
	var all []string
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("docker-compose.yml: %q is no list of strings: %v", text, err)
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// instructions returns the arguments of each line of a Dockerfile that begins
// with that instruction.
func instructions(t *testing.T, dockerfile, name string) [][]string {
	t.Helper()
	var all [][]string
	for line := range strings.Lines(read(t, dockerfile)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			all = append(all, strings.Fields(rest))
		}
	}
	return all
}
