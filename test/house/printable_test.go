package house

import (
	"path"
	"strings"
	"testing"
)

// What a terminal obeys is decided in one room. Two others ask what can be printed for another reason.
func TestOneRoomMakesForeignTextPlain(t *testing.T) {
	allowed := map[string]bool{
		"internal/printable/printable.go": true,
		"internal/config/render.go":       true, // the escapes of TOML
		"internal/endpoint/endpoint.go":   true, // refuses a name, and changes none
	}
	for _, dir := range []string{"cmd", "internal"} {
		for file, text := range files(t, dir, ".go") {
			if strings.Contains(text, "unicode.IsPrint(") && !allowed[file] && !strings.HasSuffix(path.Base(file), "_test.go") {
				t.Errorf("%s decides what can be printed; internal/printable does", file)
			}
		}
	}
}
