package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Whoever pastes the command of a hint gets no error of the command line. What stands for a value that only a run
// knows is a word here.
func TestHintsNameCommandsThatThereAre(t *testing.T) {
	commands := map[string]bool{}
	for _, room := range []string{"advice", "doctor"} {
		files, err := filepath.Glob("../../internal/" + room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(source, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 2 {
					return true
				}
				if name, ok := call.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "Hint" {
					if line := written(call.Args[1]); strings.HasPrefix(line, "docker-wsl-bridge ") {
						commands[line] = true
					}
				}
				return true
			})
		}
	}
	if len(commands) < 25 {
		t.Errorf("only %d commands were found", len(commands))
	}
	for _, line := range slices.Sorted(maps.Keys(commands)) {
		words := strings.Fields(strings.ReplaceAll(line, `"COMMAND LINE"`, "LINE"))[1:]
		if words[0] == "cli" { // the earlier program's form
			continue
		}
		root := rootCommand()
		cmd, rest, err := root.Find(words)
		if err != nil || cmd == root && words[0] != "--help" {
			t.Errorf("%s: there is no such command, %v", line, err)
			continue
		}
		cmd.InitDefaultHelpFlag()
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// written is a text of the source, with what is called or named in it: the flags of a place, else one word.
func written(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(n.Value); err == nil {
			return text
		}
	case *ast.BinaryExpr:
		return written(n.X) + written(n.Y)
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "FlagsOf" {
			return " --distro D --socket /s"
		}
		if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "FlagsOf" {
			return " --distro D --socket /s"
		}
		return "word"
	case *ast.Ident:
		if n.Name == "at" {
			return " --distro D --socket /s"
		}
	}
	return "word"
}
