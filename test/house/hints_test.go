package house

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// hintWord begins a hint in a text of the program.
	hintWord = regexp.MustCompile(`["\x60](?:\\n|\s)*hint:`)
	// hintMade is a hint without a code's method: only internal/codes can do that with a text.
	loose = regexp.MustCompile(`codes\.Hint\{"|codes\.Code\(|hints\s+\[\]string\s*$`)
	// hintText is the text of a hint, where it is made.
	hintText = regexp.MustCompile(`codes\.\w+\.(?:Hint|Note|Message)\([^)\n]*["\x60][^)\n]*`)
	// code is one that is named in a text.
	code = regexp.MustCompile(`\bDWB\d{3}\b`)
)

// hintPrinters are the places where a hint becomes a line: both write a codes.Hint, which has a code.
var hintPrinters = map[string]string{
	"internal/console/complain.go": `func HintLine(h codes.Hint) string { return "hint: " + printable.Escape(h.String())`,
	"internal/doctor/report.go":    `"         hint:   %s\n", printable.Escape(cure.String())`,
}

// No hint is printed without a code, and their texts are in one place.
func TestEveryHintHasACode(t *testing.T) {
	for _, dir := range []string{"cmd", "internal"} {
		all := files(t, dir, ".go")
		for _, file := range slices.Sorted(maps.Keys(all)) {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text := all[file]
			printer, may := hintPrinters[file]
			if n := len(hintWord.FindAllString(text, -1)); n > 0 && (!may || n > 1 || !strings.Contains(text, printer)) {
				t.Errorf("%s prints a hint of its own; %v do", file, slices.Sorted(maps.Keys(hintPrinters)))
			}
			if found := loose.FindString(text); found != "" && path.Dir(file) != "internal/codes" {
				t.Errorf("%s makes a hint without a code of the table: %s", file, found)
			}
			if found := hintText.FindString(text); found != "" && path.Dir(file) != "internal/advice" && file != "internal/doctor/remedies.go" {
				t.Errorf("%s has the text of a hint, which belongs into internal/advice, or for doctor into remedies.go: %s", file, found)
			}
			if found := code.FindString(text); found != "" && file != "internal/codes/codes.go" {
				t.Errorf("%s has %s in it; internal/codes has the codes", file, found)
			}
		}
	}
}

// A code that a page or a test names is one of the table.
func TestNamedCodesAreReal(t *testing.T) {
	table := files(t, "internal/codes", "codes.go")["internal/codes/codes.go"]
	pages := files(t, ".", ".md")
	maps.Copy(pages, files(t, ".", ".txt"))
	maps.Copy(pages, files(t, ".", "_linux_test.go"))
	for file, text := range pages {
		for _, c := range code.FindAllString(text, -1) {
			if !strings.Contains(table, `"`+c+`"`) {
				t.Errorf("%s names %s, which is no code", file, c)
			}
		}
	}
}
