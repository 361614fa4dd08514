package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The ceilings of a function and of a file, in lines. The lines of a table (a
// composite literal) do not count towards a function's, nor does the wiring
// in cmd up to its own ceiling.
const (
	maxFunction    = 50
	maxCmdFunction = 80
	maxFile        = 500
)

func TestSizes(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		checkSizes(t, filepath.ToSlash(name), path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkSizes(t *testing.T, name, path string) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := set.File(file.Pos()).LineCount(); got > maxFile {
		t.Errorf("%s: got %d lines, want at most %d", name, got, maxFile)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			checkFunction(t, name, set, f)
		}
	}
}

func checkFunction(t *testing.T, name string, set *token.FileSet, f *ast.FuncDecl) {
	t.Helper()
	ceiling := maxFunction
	if strings.HasPrefix(name, "cmd/") {
		ceiling = maxCmdFunction
	}
	lines := span(set, f) - tableLines(set, f)
	if lines > ceiling {
		t.Errorf("%s: %s: got %d lines, want at most %d", name, f.Name.Name, lines, ceiling)
	}
}

func span(set *token.FileSet, n ast.Node) int {
	return set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1
}

// tableLines counts the lines inside the outermost composite literals of f. A
// function in such a literal is code and counts.
func tableLines(set *token.FileSet, f *ast.FuncDecl) int {
	lines := 0
	ast.Inspect(f, func(n ast.Node) bool {
		table, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		lines += max(0, span(set, table)-2-codeLines(set, table))
		return false
	})
	return lines
}

func codeLines(set *token.FileSet, table *ast.CompositeLit) int {
	lines := 0
	ast.Inspect(table, func(n ast.Node) bool {
		code, ok := n.(*ast.FuncLit)
		if ok && span(set, code) > 1 {
			lines += span(set, code)
		}
		return !ok
	})
	return lines
}
