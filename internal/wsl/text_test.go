package wsl

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// captured is a text as wsl.exe gives it, in UTF-8 and without CR; no file is silence.
func captured(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// encodings are the ways in which one text reaches us.
func encodings() map[string]func(string) []byte {
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	return map[string]func(string) []byte{
		"UTF-8":            func(s string) []byte { return []byte(s) },
		"UTF-8, CRLF":      func(s string) []byte { return []byte(crlf(s)) },
		"UTF-16":           func(s string) []byte { return encode16(crlf(s)) },
		"UTF-16, CRCRLF":   func(s string) []byte { return encode16(strings.ReplaceAll(s, "\n", "\r\r\n")) },
		"UTF-16, BOM":      func(s string) []byte { return append([]byte{0xff, 0xfe}, encode16(crlf(s))...) },
		"UTF-16, cut":      func(s string) []byte { return append(encode16(crlf(s)), '\r') },
		"UTF-8, BOM, CRLF": func(s string) []byte { return []byte("\ufeff" + crlf(s)) },
	}
}

func encode16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestParseTable(t *testing.T) {
	const table = "  NAME              STATE           VERSION\n" +
		"* Ubuntu-24.04      Running         2\n" +
		"  docker-desktop    Stopped         2\n" +
		"  old               Wird beendet    1\n"
	want := []Distro{{"Ubuntu-24.04", true, 2, nil}, {"docker-desktop", false, 2, nil}, {"old", false, 1, nil}}
	for name, encode := range encodings() {
		if got := ParseTable(encode(table)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, none := range []string{"", "\n\n", "There is no distro 2\x1b[2J here\n", "wsl: a warning\n"} {
		if got := ParseTable([]byte(none)); len(got) > 0 {
			t.Errorf("%q: %+v", none, got)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for said, want := range map[string]string{
		"WSL version: 2.9.4.0\nKernel version: 6.18.35.2-1\n":  "2.9.4.0",
		"WSL-Version: 2.3.26\nKernelversion: 5.15.167.4-1\n":   "2.3.26",
		"WSL 版本： 2.0.9.0\n内核版本： 5.15.133.1-1\n":                "2.0.9.0",
		"Invalid command line option: --version\nUsage: wsl\n": "",
		"": "",
	} {
		for name, encode := range encodings() {
			if got := ParseVersion(encode(said)); got != want {
				t.Errorf("%s of %q: %q, want %q", name, said, got, want)
			}
		}
	}
}

func TestDecode(t *testing.T) {
	for _, want := range []string{
		"There is no distribution with the supplied name.\nError code: x",
		"上一中\n不存在具有所提供名称的分发。\nx",
		"Für ＷＳＬ ist 🐧 da",
		"a",
	} {
		for name, encode := range encodings() {
			if got := Decode(encode(want + "\n")); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestDecodeOfBothEncodingsAtOnce(t *testing.T) {
	eight := "<3>WSL (7 - Relay) ERROR: execvpe(/x) failed: No such file or directory\n"
	sixteen := encode16("wsl: Eine Warnung\r\nnoch eine\r\n")
	want := "wsl: Eine Warnung\nnoch eine"
	if got := Decode(append([]byte(eight), sixteen...)); got != eight+want {
		t.Errorf("%q", got)
	}
	if got := Decode(append(bytes.Clone(sixteen), eight...)); got != want+"\n"+strings.TrimSpace(eight) {
		t.Errorf("%q", got)
	}
}

func TestDecodeDisarmsAndBounds(t *testing.T) {
	if got := Decode([]byte("a\x1b]0;title\x07b\u202ec\u009bd\xffe\tf")); strings.ContainsAny(got, "\x1b\x07\u202e\u009b\t") || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
	got := Decode(bytes.Repeat([]byte("é"), 1<<20))
	if len(got) > printable.Max+3 || !strings.HasSuffix(got, "é...") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-10:])
	}
	if got := Decode(nil); got != "" {
		t.Errorf("%q", got)
	}
}

func TestParseList(t *testing.T) {
	for name, encode := range encodings() {
		got := ParseList(encode("Ubuntu-24.04\ndocker-desktop\nmy_distro\nwsl: some warning\n\n"))
		if want := []string{"Ubuntu-24.04", "docker-desktop", "my_distro"}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := ParseList(nil); got != nil {
		t.Errorf("no distro: %q", got)
	}
}

// FuzzWords feeds whatever a program could write.
func FuzzWords(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.std*")
	for _, file := range files {
		text := captured(f, filepath.Base(file))
		for _, encode := range encodings() {
			f.Add(encode(text), 1)
		}
	}
	f.Add([]byte("\x00\n\x00\x0a\n"), 0)
	f.Fuzz(func(t *testing.T, b []byte, exitCode int) {
		checkText(t, Decode(b))
		for _, name := range ParseList(b) {
			checkText(t, name)
			if _, err := (Launch{Distro: name, Argv: []string{"true"}}).ArgList(); errors.Is(err, ErrName) != (CheckName(name) != nil) {
				t.Errorf("listed %q: %v", name, err)
			}
		}
		for _, d := range ParseTable(b) {
			checkText(t, d.Name)
			if d.Err == nil && (CheckName(d.Name) != nil || d.Version != 1 && d.Version != 2) {
				t.Errorf("%+v", d)
			}
		}
		checkText(t, fmt.Sprint(ExplainGivenUp(context.DeadlineExceeded, b, b)))
		err := ExplainEnd(b, b, exitCode)
		if (err == nil) != (exitCode == 0) {
			t.Fatalf("exit code %d: %v", exitCode, err)
		}
		if err != nil {
			checkText(t, err.Error())
		}
	})
}

func checkText(t *testing.T, s string) {
	t.Helper()
	if len(s) > printable.Max+3 || !utf8.ValidString(s) {
		t.Errorf("%d bytes: %q", len(s), s)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != utf8.RuneError && !unicode.IsPrint(r) }) {
		t.Errorf("not disarmed: %q", s)
	}
}
