package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// File is a configuration file as written: settings as text, for whoever
// knows their types. Its keys are the names of the commands' flags; a table
// named after a command holds for that command alone.
type File struct {
	Routes []Route

	top    map[string]string
	tables map[string]map[string]string
}

// Keys names the settings that exist, by command.
type Keys map[string][]string

// ParseFile reads a TOML file. A key that nothing knows is refused, with its
// line and the nearest known one; all such mistakes are reported together.
func ParseFile(name string, data []byte, known Keys) (*File, error) {
	var raw map[string]any
	if _, err := toml.Decode(string(data), &raw); err != nil {
		return nil, syntax(name, err)
	}
	p := fileParser{name: name, text: string(data), known: known}
	f := &File{top: map[string]string{}, tables: map[string]map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		p.entry(f, key, raw[key])
	}
	p.routes(f)
	return f, errors.Join(p.mistakes...)
}

// Value returns the setting of one flag of one command.
func (f *File) Value(command, flag string) (string, bool) {
	if value, ok := f.tables[command][flag]; ok {
		return value, true
	}
	value, ok := f.top[flag]
	return value, ok
}

func syntax(name string, err error) error {
	var p toml.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("%s line %d: %s: correct the TOML there", name, p.Position.Line, p.Message)
	}
	return fmt.Errorf("%s: %w", name, err)
}

type fileParser struct {
	name     string
	text     string
	known    Keys
	mistakes mistakes
}

func (p *fileParser) entry(f *File, key string, value any) {
	table, isTable := value.(map[string]any)
	switch {
	case key == "route":
	case isTable && p.known[key] != nil:
		f.tables[key] = p.table(key, table)
	case isTable:
		p.unknown("", key, slices.Collect(maps.Keys(p.known)))
	default:
		p.set(f.top, "", key, value, p.all())
	}
}

func (p *fileParser) table(command string, raw map[string]any) map[string]string {
	values := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		p.set(values, command, key, raw[key], p.known[command])
	}
	return values
}

func (p *fileParser) set(into map[string]string, table, key string, value any, known []string) {
	if !slices.Contains(known, key) {
		p.unknown(table, key, known)
		return
	}
	text, err := plain(value)
	if err != nil {
		p.mistakes.add("%s line %d: %s: %w", p.name, p.line(table, key), key, err)
		return
	}
	into[key] = text
}

// routes decodes the [[route]] tables. What is left undecoded is unknown.
func (p *fileParser) routes(f *File) {
	var in struct {
		Route []Route `toml:"route"`
	}
	meta, err := toml.Decode(p.text, &in)
	if err != nil {
		p.mistakes = append(p.mistakes, syntax(p.name, err))
		return
	}
	f.Routes = in.Route
	for _, key := range meta.Undecoded() {
		if len(key) == 2 && key[0] == "route" {
			p.unknown("route", key[1], []string{"name", "listen", "upstream", "upstream-tls", "upstream-ca", "app-tls", "tls", "allow-from", "capture"})
		}
	}
}

func (p *fileParser) all() []string {
	var all []string
	for _, flags := range p.known {
		all = append(all, flags...)
	}
	return all
}

func (p *fileParser) unknown(table, key string, known []string) {
	hint := "remove it, or see smtp-proxy run --help for the names"
	if near := Nearest(key, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	p.mistakes.add("%s line %d: unknown key %q: %s", p.name, p.line(table, key), key, hint)
}

// line finds where a key of a table stands. The TOML decoder knows the place
// of a syntax error only.
func (p *fileParser) line(table, key string) int {
	current := ""
	for i, text := range strings.Split(p.text, "\n") {
		text = strings.TrimSpace(text)
		if header, ok := strings.CutPrefix(text, "["); ok {
			current, _, _ = strings.Cut(strings.Trim(header, "[ "), "]")
			current = strings.TrimSpace(current)
			if table == "" && current == key {
				return i + 1
			}
			continue
		}
		left, _, ok := strings.Cut(text, "=")
		if ok && current == table && strings.Trim(strings.TrimSpace(left), `"'`) == key {
			return i + 1
		}
	}
	return 1
}

// plain writes a TOML value as a flag would be given.
func plain(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		return list(v)
	}
	return "", errors.New("this is no setting: write a string, a number, true or false, or a list of strings")
}

func list(values []any) (string, error) {
	words := make([]string, len(values))
	for i, v := range values {
		word, ok := v.(string)
		if !ok {
			return "", errors.New("a list may hold strings only")
		}
		words[i] = word
	}
	return strings.Join(words, ","), nil
}
