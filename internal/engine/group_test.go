package engine

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"
)

func TestConfiguredGroup(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		`{"group": "docker-users", "hosts": ["npipe://"]}`: "docker-users",
		`{"hosts": []}`:           "",
		"{\"group\":\"a\x1b\"}":   "",
		`{"group": 1}`:            "",
		`{"group": "d\u001b[2J"}`: "d\ufffd[2J",
	} {
		file := filepath.Join(dir, "daemon.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ConfiguredGroup(file); got != want || (err == nil) != (want != "" || text == `{"hosts": []}`) {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	if got, err := ConfiguredGroup(filepath.Join(dir, "none")); got != "" || err != nil {
		t.Errorf("no file: %q, %v", got, err)
	}
}

// Odd, but valid: dockerd's own reader takes it all.
func TestConfiguredGroupAsWindowsToolsWriteIt(t *testing.T) {
	const text = "{\r\n  \"hosts\": [\"npipe://\"],\r\n  \"group\": \"docker-users\"\r\n}\r\n"
	units := func(order binary.AppendByteOrder) (b []byte) {
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			b = order.AppendUint16(b, u)
		}
		return b
	}
	for name, c := range map[string]struct{ text, want string }{
		"PowerShell's >":          {string(units(binary.LittleEndian)), "docker-users"},
		"big-endian UTF-16":       {string(units(binary.BigEndian)), "docker-users"},
		"the older Notepad":       {"\ufeff" + text, "docker-users"},
		"CRLF alone":              {text, "docker-users"},
		"half a character behind": {string(units(binary.LittleEndian)) + "\n", "docker-users"},
		"empty":                   {"", ""},
		"a mark alone":            {"\ufeff", ""},
		"blanks":                  {" \r\n", ""},
		"null":                    {"null", ""},
		"another case":            {`{"Group":"a"}`, "a"},
		"given twice":             {`{"group":"a","group":"b"}`, "b"},
		"several":                 {`{"group":"a,CORP\\b"}`, `a,CORP\b`},
		"one that is no ASCII":    {`{"group":"Administratören"}`, "Administratören"},
		"escapes":                 {`{"gro\u0075p":"\u0061"}`, "a"},
		"something behind it":     {`{"group":"a"} {}`, "error"},
		"UTF-16 without its mark": {string(units(binary.LittleEndian)[2:]), "error"},
		"Latin-1":                 {"{\"group\":\"Administrat\xf6ren\"}", "error"},
		"a comment":               {"{\"group\":\"a\"} // mine", "error"},
		"a list, which it is not": {`{"group":["a"]}`, "error"},
		"NUL bytes at the end":    {"{\"group\":\"a\"}\x00\x00", "error"},
	} {
		file := filepath.Join(t.TempDir(), "daemon.json")
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := ConfiguredGroup(file)
		if (err != nil) != (c.want == "error") || err == nil && got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}
