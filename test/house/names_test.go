package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const (
	// mostShort is the share of functions that may have a name of one word, in percent; leastWords is the mean of the words of
	// a name; mostBody are the lines that a function may have.
	mostShort  = 30
	leastWords = 2.1
	mostBody   = 70
)

// A name says at its call what it does, and a function is read at one glance. go test -v prints the figures.
func TestNamesAndFunctions(t *testing.T) {
	short, words, lengths := 0, 0, []int{}
	for _, dir := range []string{"cmd", "internal"} {
		for file, text := range files(t, dir, ".go") {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			places := token.NewFileSet()
			source, err := parser.ParseFile(places, file, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range source.Decls {
				f, is := d.(*ast.FuncDecl)
				if !is {
					continue
				}
				n := wordsIn(f.Name.Name)
				words += n
				if n == 1 {
					short++
				}
				lines := places.Position(f.End()).Line - places.Position(f.Pos()).Line + 1
				lengths = append(lengths, lines)
				if lines > mostBody {
					t.Errorf("%s: %s has %d lines, a function may have %d", file, f.Name.Name, lines, mostBody)
				}
			}
		}
	}
	slices.Sort(lengths)
	all := len(lengths)
	share, mean := 100*float64(short)/float64(all), float64(words)/float64(all)
	t.Logf("%d functions: %.0f %% have a name of one word, %.2f words a name; lines p50 %d, p90 %d, most %d",
		all, share, mean, lengths[all/2], lengths[all*9/10], lengths[all-1])
	if share > mostShort {
		t.Errorf("%.1f %% of the functions have a name of one word, %d %% may", share, mostShort)
	}
	if mean < leastWords {
		t.Errorf("a name has %.2f words, it should have %.1f", mean, leastWords)
	}
}

// wordsIn counts the words of a name; an abbreviation in capitals is one.
func wordsIn(name string) (n int) {
	letters := []rune(name)
	for i, c := range letters {
		begins := i == 0 || unicode.IsUpper(c) && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if begins {
			n++
		}
	}
	return n
}
