package wsl

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// table is what wsl.exe prints for rows of a star, a name, a state and a version: in its format, where
// %-*s counts the units of UTF-16.
func table(head [3]string, rows ...[4]string) string {
	width := countUnits(head[0])
	for _, r := range rows {
		width = max(width, countUnits(r[1]))
	}
	pad := func(s string, n int) string { return s + strings.Repeat(" ", max(n-countUnits(s), 0)) }
	var b strings.Builder
	for _, r := range append([][4]string{{" ", head[0], head[1], head[2]}}, rows...) {
		fmt.Fprintf(&b, "%s %s%s%s\n", r[0], pad(r[1], width+4), pad(r[2], 16), r[3])
	}
	return b.String()
}

var english = [3]string{"NAME", "STATE", "VERSION"}

// A default distro with a blank in its name once made the stopped one beside it the default.
func TestRowsOfEveryTable(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []Distro
	}{
		"a blank in the name": {
			table(english, [4]string{"*", "Ubuntu 22", "Running", "2"}, [4]string{" ", "Ubuntu", "Stopped", "2"}),
			[]Distro{{"Ubuntu 22", true, 2, ErrName}, {"Ubuntu", false, 2, nil}},
		},
		"many blanks in the name": {
			table(english, [4]string{"*", "a     b    Running  2", "Stopped", "1"}, [4]string{" ", "c", "Running", "2"}),
			[]Distro{{"a     b    Running  2", true, 1, ErrName}, {"c", false, 2, nil}},
		},
		"a name that ends like a row": {
			table(english, [4]string{" ", "x Running 2", "Stopped", "2"}, [4]string{"*", "Debian 12", "Stopped", "2"}),
			[]Distro{{"x Running 2", false, 2, ErrName}, {"Debian 12", true, 2, ErrName}},
		},
		"no ASCII": {
			table(english, [4]string{"*", "Übuntu", "Running", "2"}, [4]string{" ", "发行版", "Stopped", "2"}, [4]string{" ", "🐧tux", "Stopped", "1"}, [4]string{" ", "Ubuntu", "Stopped", "2"}),
			[]Distro{{"Übuntu", true, 2, ErrName}, {"发行版", false, 2, ErrName}, {"🐧tux", false, 1, ErrName}, {"Ubuntu", false, 2, nil}},
		},
		"another language": {
			table([3]string{"NAME", "STATUS", "VERSION"}, [4]string{"*", "Ubuntu 22", "Wird beendet", "2"}, [4]string{" ", "alt", "Wird deinstalliert", "1"}),
			[]Distro{{"Ubuntu 22", true, 2, ErrName}, {"alt", false, 1, nil}},
		},
		"a head of another script": {
			table([3]string{"名前", "状態", "バージョン"}, [4]string{"*", "Ubuntu", "実行中", "2"}, [4]string{" ", "my distro", "停止", "2"}),
			[]Distro{{"Ubuntu", true, 2, nil}, {"my distro", false, 2, ErrName}},
		},
		"a version that is not known": {
			table(english, [4]string{"*", "Ubuntu", "Running", "3"}, [4]string{" ", "Debian", "Stopped", "2"}, [4]string{" ", "x", "Stopped", ""}),
			[]Distro{{"Ubuntu", true, 0, ErrRow}, {"Debian", false, 2, nil}, {"x", false, 0, ErrRow}},
		},
		"no head": {
			"* Ubuntu 22    Running         2\n  Ubuntu       Stopped         2\n",
			[]Distro{{"Ubuntu 22", true, 2, ErrName}, {"Ubuntu", false, 2, nil}},
		},
		"a warning around it": {
			"wsl: a warning  of  2\n" + table(english, [4]string{"*", "Ubuntu", "Stopped", "2"}) + "\nwsl: another\n",
			[]Distro{{"Ubuntu", true, 2, nil}},
		},
		"a row of nothing but its star": {"* \n", []Distro{{"", true, 0, ErrRow}}},
		"names that begin oddly": {
			table(english, [4]string{" ", "-d", "Running", "2"}, [4]string{" ", "*", "Running", "2"}, [4]string{"*", "NAME", "Running", "2"}),
			[]Distro{{"-d", false, 2, ErrName}, {"*", false, 2, ErrName}, {"NAME", true, 2, nil}},
		},
		"the longest name": {
			table(english, [4]string{"*", strings.Repeat("n", 300), "Running", "2"}, [4]string{" ", "b", "Running", "2"}),
			[]Distro{{strings.Repeat("n", 300), true, 2, nil}, {"b", false, 2, nil}},
		},
		"a terminal's order in a name": {
			table(english, [4]string{"*", "a\x1b[2Jb", "Running", "2"}),
			[]Distro{{"a\ufffd[2Jb", true, 2, ErrName}},
		},
	} {
		for encoding, encode := range encodings() {
			if got := ParseTable(encode(c.text)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s in %s:\n%+v\nwant\n%+v\nof\n%s", name, encoding, got, c.want, c.text)
			}
		}
	}
}

func TestNamesOfEveryList(t *testing.T) {
	want := []string{"Ubuntu 22", "Übuntu", "发行版", "-d", "Ubuntu", "a  b"}
	for name, encode := range encodings() {
		if got := ParseList(encode(strings.Join(want, "\n") + "\n\nwsl: a warning\n")); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
