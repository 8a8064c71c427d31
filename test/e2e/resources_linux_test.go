package e2e

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// Types of resources (winuser.h).
const (
	rtVersion  = 16
	rtManifest = 24
)

// Windows is told by both programs how to start them, and starts them: Wine's loader reads the
// manifest, too, and refuses a program with a broken one.
func TestProgramsHaveTheirManifest(t *testing.T) {
	ctx, s, _ := onWindows(t)
	for _, name := range []string{"docker-wsl-bridge.exe", "docker-wsl-bridgew.exe"} {
		exe := filepath.Join(lab.Root(), "build", "windows-amd64", name)
		manifest := resource(t, exe, rtManifest)
		for element, want := range map[string]string{
			"http://schemas.microsoft.com/SMI/2024/WindowsSettings consoleAllocationPolicy": "detached",
			"http://schemas.microsoft.com/SMI/2016/WindowsSettings longPathAware":           "true",
			"urn:schemas-microsoft-com:asm.v3 requestedExecutionLevel":                      "asInvoker",
			"urn:schemas-microsoft-com:compatibility.v1 supportedOS":                        "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}",
		} {
			if got := elements(t, manifest)[element]; got != want {
				t.Errorf("%s: manifest's %s is %q, want %q", name, element, got, want)
			}
		}
		said := versionOf(t, s.Wine.Command(ctx, exe, "version"))
		if details := text16(resource(t, exe, rtVersion)); !strings.Contains(details, "ProductVersion\x00"+said) {
			t.Errorf("%s: the details do not show version %q: %q", name, said, details)
		}
	}
}

// versionOf is the version that the program itself tells.
func versionOf(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) != 3 {
		t.Fatalf("version: %q, %v", out, err)
	}
	return words[1]
}

// elements gives what a manifest's elements say: their text, or the attribute
// that matters, by namespace and name.
func elements(t *testing.T, manifest []byte) map[string]string {
	t.Helper()
	said := map[string]string{}
	var open string
	for d := xml.NewDecoder(bytes.NewReader(manifest)); ; {
		token, err := d.Token()
		if token == nil {
			if len(said) == 0 {
				t.Fatalf("manifest: %v", err)
			}
			return said
		}
		switch x := token.(type) {
		case xml.StartElement:
			open = x.Name.Space + " " + x.Name.Local
			for _, a := range x.Attr {
				if a.Name.Local == "level" || a.Name.Local == "Id" {
					said[open] = a.Value
				}
			}
		case xml.CharData:
			if s := strings.TrimSpace(string(x)); s != "" {
				said[open] = s
			}
		}
	}
}

func text16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return strings.ReplaceAll(string(utf16.Decode(units)), "\x00\x00", "\x00")
}

// resource gives the one resource of a type in a program (PE format, .rsrc).
func resource(t *testing.T, exe string, kind uint32) []byte {
	t.Helper()
	data, err := findResource(exe, kind)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(exe), err)
	}
	return data
}

func findResource(exe string, kind uint32) ([]byte, error) {
	f, err := os.Open(exe)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	image, err := pe.NewFile(f)
	if err != nil {
		return nil, err
	}
	section := image.Section(".rsrc")
	if section == nil {
		return nil, fmt.Errorf("no resources")
	}
	b, err := section.Data()
	if err != nil {
		return nil, err
	}
	// Three floors of directories: type, name, language. Of the lower two the first is taken.
	at := uint32(0)
	for floor := range 3 {
		count := uint32(binary.LittleEndian.Uint16(b[at+12:])) + uint32(binary.LittleEndian.Uint16(b[at+14:]))
		next := uint32(0)
		for entry := at + 16; entry < at+16+8*count && next == 0; entry += 8 {
			if floor > 0 || binary.LittleEndian.Uint32(b[entry:]) == kind {
				next = binary.LittleEndian.Uint32(b[entry+4:]) &^ (1 << 31)
			}
		}
		if next == 0 {
			return nil, fmt.Errorf("no resource of type %d", kind)
		}
		at = next
	}
	start := binary.LittleEndian.Uint32(b[at:]) - section.VirtualAddress
	return b[start : start+binary.LittleEndian.Uint32(b[at+4:])], nil
}
