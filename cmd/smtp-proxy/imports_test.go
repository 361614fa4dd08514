package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "smtp-proxy/"

// allowed is the import table: which packages of ours each package may import
// outside its tests. "*" is every package, "-x" takes one away. A package
// below one that is listed and not listed itself has the same allowance.
var allowed = map[string][]string{
	"policy":            {},
	"proxy/wire":        {},
	"proxy/session":     {"proxy/wire"},
	"upstream":          {"policy", "proxy/session", "proxy/wire"},
	"upstream/probe":    {"upstream", "proxy/session", "proxy/wire", "policy"},
	"upstream/replay":   {"upstream", "proxy/session", "proxy/wire", "policy"},
	"proxy":             {"proxy/session", "proxy/wire", "upstream", "policy"},
	"inspect":           {"proxy/session", "proxy/wire", "policy"},
	"inspect/capture":   {"inspect", "proxy/session", "proxy/wire", "policy"},
	"inspect/rules":     {"inspect", "proxy/wire", "policy"},
	"inspect/anonymize": {"inspect", "proxy/session", "proxy/wire", "policy"},
	"inspect/store":     {"inspect", "proxy/session", "proxy/wire", "policy"},
	"inspect/diagnose":  {"inspect", "inspect/rules", "proxy/session", "proxy/wire", "policy"},
	"inspect/web":       {"inspect", "inspect/store", "inspect/diagnose", "inspect/rules", "proxy/session", "proxy/wire", "policy"},
	"testenv":           {"*", "-cmd"},
	"cmd":               {"*"},
}

// reserved names imports that only some packages may have.
var reserved = map[string][]string{
	"database/sql":       {"inspect/store"},
	"modernc.org/sqlite": {"inspect/store"},
	"smtp-proxy/testenv": {"testenv", "cmd"},
}

// forbidden names what the sans-I/O core may not reach for.
var forbidden = map[string][]string{
	"proxy/session": {"net", "os", "log", "sync", "database", "github.com/rs/zerolog", "golang.org/x/sync"},
	"proxy/wire":    {"net", "os", "log", "sync", "database", "github.com/rs/zerolog", "golang.org/x/sync"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	for _, p := range list(t) {
		pkg := strings.TrimPrefix(p.ImportPath, module)
		row, known := home(pkg)
		if !known {
			t.Errorf("package %s is not in the import table: add it to allowed and to the README", pkg)
			continue
		}
		for _, imported := range p.Imports {
			checkOurs(t, pkg, row, imported)
			checkReserved(t, pkg, imported)
			checkForbidden(t, pkg, imported)
		}
	}
}

func checkOurs(t *testing.T, pkg, row, imported string) {
	t.Helper()
	ours, ok := strings.CutPrefix(imported, module)
	if !ok || within(ours, row) && within(pkg, row) && inSameRow(ours, row) {
		return
	}
	if !permits(allowed[row], ours) {
		t.Errorf("%s imports %s: got an import outside the table, want one of %v", pkg, ours, allowed[row])
	}
}

func checkReserved(t *testing.T, pkg, imported string) {
	t.Helper()
	for prefix, owners := range reserved {
		if within(imported, prefix) && !slices.ContainsFunc(owners, func(o string) bool { return within(pkg, o) }) {
			t.Errorf("%s imports %s: want it in %v only", pkg, imported, owners)
		}
	}
}

func checkForbidden(t *testing.T, pkg, imported string) {
	t.Helper()
	for _, prefix := range forbidden[pkg] {
		if within(imported, prefix) {
			t.Errorf("%s imports %s: the core does no I/O and has no lock, clock or log", pkg, imported)
		}
	}
}

// home returns the row of the table that pkg belongs to: its own, or that of
// the nearest package above it.
func home(pkg string) (string, bool) {
	var best string
	for row := range maps.Keys(allowed) {
		if within(pkg, row) && len(row) > len(best) {
			best = row
		}
	}
	return best, best != ""
}

func inSameRow(pkg, row string) bool {
	other, ok := home(pkg)
	return ok && other == row
}

func permits(rules []string, pkg string) bool {
	if slices.ContainsFunc(rules, func(r string) bool { return strings.HasPrefix(r, "-") && within(pkg, r[1:]) }) {
		return false
	}
	return slices.ContainsFunc(rules, func(r string) bool { return r == "*" || r == pkg || isBelowUnlisted(pkg, r) })
}

// isBelowUnlisted lets a rule stand for the packages under its own that have
// no row.
func isBelowUnlisted(pkg, rule string) bool {
	row, ok := home(pkg)
	return ok && row == rule
}

func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// list asks the Go tool for the packages of the module and their imports
// outside tests, on every platform that has files of its own.
func list(t *testing.T) []listed {
	t.Helper()
	var all []listed
	for _, goos := range []string{"linux", "windows"} {
		all = append(all, listFor(t, goos)...)
	}
	return all
}

func listFor(t *testing.T, goos string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "smtp-proxy/...")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// A table that lets everything through would pass unseen.
func TestImportTable(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		want          bool
	}{
		{"proxy", "inspect", false},
		{"proxy", "proxy/session", true},
		{"proxy/session", "upstream", false},
		{"upstream/probe", "upstream", true},
		{"inspect/store/internal", "inspect/rules", false},
		{"testenv", "cmd/smtp-proxy", false},
		{"testenv/rigs", "proxy", true},
		{"cmd/smtp-proxy", "inspect/store", true},
	} {
		row, _ := home(c.pkg)
		if got := permits(allowed[row], c.imported); got != c.want {
			t.Errorf("may %s import %s: got %v, want %v", c.pkg, c.imported, got, c.want)
		}
	}
}
