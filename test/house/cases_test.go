package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	casesPage  = "../../docs/testing.md"
	casesBegin = "<!-- From here on written by UPDATE=1 go test -run '^TestCasesAreListed$' ./test/house -->\n"
)

// A testCase is a test and what its comment says.
type testCase struct {
	name, says string
	wine       bool // by a Windows program in every form
}

// A room is a package with tests.
type room struct {
	dir   string
	wine  bool                  // its tests run as a Windows program, too
	files map[string][]testCase // by feature: the file's name
}

// docs/testing.md ends with the list of all tests, as their comments describe them. Those that go
// through everything, and those of the stand-in for WSL, all have one. UPDATE=1 writes the list.
func TestCasesAreListed(t *testing.T) {
	page, err := os.ReadFile(casesPage)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(page), casesBegin)
	if !found {
		t.Fatalf("docs/testing.md lacks the line %s", casesBegin)
	}
	if n := strings.Count(head, "\n"); n > 100 {
		t.Errorf("docs/testing.md has %d lines before its list, more than anybody reads", n)
	}
	want := head + casesBegin + listed(t, rooms(t))
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(casesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != want {
		t.Error("the list of docs/testing.md is not that of the tests: UPDATE=1 go test -run '^TestCasesAreListed$' ./test/house writes it")
	}
}

// listed is the list: e2e and the stand-in first.
func listed(t *testing.T, all map[string]*room) string {
	t.Helper()
	var b strings.Builder
	order := slices.Sorted(maps.Keys(all))
	slices.SortStableFunc(order, func(x, y string) int { return rank(x) - rank(y) })
	for _, dir := range order {
		r := all[dir]
		fmt.Fprintf(&b, "\n### `%s`%s\n\n", dir, map[bool]string{true: ", under Wine as well"}[r.wine])
		var bare []string
		for _, feature := range slices.Sorted(maps.Keys(r.files)) {
			for _, c := range r.files[feature] {
				if c.says == "" {
					if rank(dir) < 2 {
						t.Errorf("%s.%s has no comment that says what it proves", dir, c.name)
					}
					bare = append(bare, "`"+c.name+"`")
					continue
				}
				fmt.Fprintf(&b, "- `%s`%s: %s\n", c.name, map[bool]string{true: " **W**"}[c.wine], c.says)
			}
		}
		if bare != nil {
			fmt.Fprintf(&b, "- and %s\n", strings.Join(bare, ", "))
		}
	}
	return b.String()
}

func rank(dir string) int {
	if i := slices.Index([]string{"test/e2e", "test/wsl"}, dir); i >= 0 {
		return i
	}
	return 2
}

func rooms(t *testing.T) map[string]*room {
	t.Helper()
	all, uses := map[string]*room{}, map[string]graph{}
	for file, text := range files(t, ".", "_test.go") {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(file)
		r := all[dir]
		if r == nil {
			r = &room{dir: dir, files: map[string][]testCase{}}
			all[dir], uses[dir] = r, graph{}
		}
		for _, d := range parsed.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is {
				continue
			}
			uses[dir].add(f)
			if f.Recv == nil && isTestName.MatchString(f.Name.Name) && f.Name.Name != "TestMain" {
				r.files[path.Base(file)] = append(r.files[path.Base(file)], testCase{name: f.Name.Name, says: sentence(f)})
			}
		}
	}
	for dir, r := range all {
		for _, cases := range r.files {
			for i := range cases {
				cases[i].wine = rank(dir) < 2 && uses[dir].reaches(cases[i].name, byWindows)
				r.wine = r.wine || cases[i].name == "TestUnderWine" && rank(dir) == 2
			}
		}
	}
	return all
}

var isTestName = regexp.MustCompile(`^(Test|Fuzz)[A-Z]`)

// sentence is a test's comment as one line of a page.
func sentence(f *ast.FuncDecl) string {
	said := strings.Join(strings.Fields(f.Doc.Text()), " ")
	for _, special := range []string{`\`, "<", "*", "_", "[", "|"} {
		said = strings.ReplaceAll(said, special, `\`+special)
	}
	return said
}

// byWindows are the functions whose use makes a test one of a Windows program.
var byWindows = []string{"onWindows", "openWindowsWard", "Windows", "Administrator", "each", "clients"}

// graph has what each function of a package uses.
type graph map[string][]string

func (g graph) add(f *ast.FuncDecl) {
	name := f.Name.Name
	if f.Recv != nil || name == "onStage" { // which is of a Windows program in the long form alone
		return
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if id, is := n.(*ast.Ident); is {
			g[name] = append(g[name], id.Name)
		}
		return true
	})
}

// opens are the functions that give a test what it runs on.
var opens = regexp.MustCompile(`^(on|open)[A-Z]`)

// reaches tells whether a test uses one of these, itself or as what it runs on.
func (g graph) reaches(from string, names []string) bool {
	seen := map[string]bool{from: true}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		for _, used := range g[next[0]] {
			if slices.Contains(names, used) {
				return true
			}
			if !seen[used] && opens.MatchString(used) {
				seen[used] = true
				next = append(next, used)
			}
		}
	}
	return false
}
