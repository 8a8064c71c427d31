package codes

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs"

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each code has a page with everything that a page has, and each page a code; the index leads to all.
func TestEveryCodeHasAPage(t *testing.T) {
	index := read(t, docs+"/doctor.md")
	var want []string
	for _, e := range AllEntries() {
		name := string(e.Code) + ".md"
		want = append(want, name)
		page := read(t, docs+"/doctor/"+name)
		if !strings.HasPrefix(page, "# "+string(e.Code)+": "+e.Title+"\n") {
			t.Errorf("%s has another title", name)
		}
		at := 0
		for _, heading := range []string{"What is looked at", "What a failure means", "Why it matters", "What cures it", "By hand"} {
			_, body, found := strings.Cut(page[at:], "\n## "+heading+"\n\n")
			if !found || strings.HasPrefix(strings.TrimSpace(body), "#") || strings.TrimSpace(body) == "" {
				t.Errorf("%s does not tell in its place: %s", name, heading)
				break
			}
			at = len(page) - len(body)
		}
		tick := map[bool]string{true: "✓", false: ""}[e.Why != ""]
		if row := "| [" + string(e.Code) + "](doctor/" + name + ") | " + e.Title + " | " + tick + " |\n"; !strings.Contains(index, row) {
			t.Errorf("the index has no row %q", row)
		}
	}
	files, err := filepath.Glob(docs + "/doctor/*")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	if !slices.Equal(files, want) {
		t.Errorf("the pages are %q, the codes %q", files, want)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#([^)]+))?\)`)

// A link of the pages leads to something.
func TestLinksOfThePages(t *testing.T) {
	pages, err := filepath.Glob(docs + "/doctor/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, docs+"/doctor.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			text := read(t, filepath.Join(filepath.Dir(page), m[1]))
			if m[2] != "" && !slices.Contains(anchors(text), m[2]) {
				t.Errorf("%s: %s has no section #%s", page, m[1], m[2])
			}
		}
	}
}

// anchors are what the headings of a page are called in links.
func anchors(text string) (list []string) {
	for line := range strings.Lines(text) {
		if title := strings.TrimLeft(line, "#"); title != line {
			list = append(list, strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
					return r
				}
				return -1
			}, strings.ToLower(strings.TrimSpace(title))))
		}
	}
	return list
}

func TestHint(t *testing.T) {
	run, note := BridgeRuns.Hint("to start one in DISTRO", "up --distro DISTRO").InDistro("My Distro"), PipeThere.Note("start the engine")
	if got, want := run.String(), `DWB301: to start one in My Distro, run: up --distro "My Distro"`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := note.String(), "DWB201: start the engine"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	list := []Hint{run, note}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var back []Hint
	if err := json.Unmarshal(b, &back); err != nil || !slices.Equal(back, list) {
		t.Errorf("%s is read as %v, %v", b, back, err)
	}
	if err := json.Unmarshal([]byte(`["of an earlier version (DWB301)"]`), &back); err != nil || back[0].String() != "DWB302: of an earlier version (DWB301)" {
		t.Errorf("%v, %v", back, err)
	}
}
