package deploy

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// program is a smallest ELF header for arch, with some text behind it.
func program(arch, text string) []byte {
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	b[16], b[20], b[52] = 2, 1, 64 // executable, version 1, header size
	b[18] = map[string]byte{"amd64": 62, "arm64": 183, "riscv64": 243}[arch]
	return append(b, text...)
}

func packed(b []byte) *fstest.MapFile {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return &fstest.MapFile{Data: z.Bytes()}
}

// content is what would be put in place.
func content(t *testing.T, b Binary) []byte {
	t.Helper()
	r, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheEmbeddedAgentComesFirst(t *testing.T) {
	inside := fstest.MapFS{"agents/agent-linux-arm64.gz": packed(program("arm64", "embedded"))}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "docker-wsl-agent-linux-arm64"), program("arm64", "beside"))
	write(t, filepath.Join(dir, "docker-wsl-agent-linux-amd64"), program("amd64", "beside"))
	for arch, want := range map[string]string{"arm64": "embedded", "amd64": "beside"} {
		b, err := agentFromFile(inside, arch, dir)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(program(arch, want))
		if got := content(t, b); b.Arch != arch || string(got[64:]) != want || b.Size != int64(len(got)) || b.Hash != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %s, %q of %d, %s", arch, b.Arch, got[64:], b.Size, b.Hash)
		}
	}
}

func TestAnAgentBesideTheProgram(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "docker-wsl-agent"), program("amd64", "plain name"))
	b, err := agentFromFile(fstest.MapFS{}, "amd64", dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, b); string(got[64:]) != "plain name" {
		t.Errorf("%q", got)
	}
	_, err = agentFromFile(fstest.MapFS{}, "arm64", dir)
	if err == nil || !strings.HasSuffix(err.Error(), "docker-wsl-agent: it is for x86_64, not for arm64") {
		t.Errorf("error %v", err)
	}
}

func TestNoAgentSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	_, err := agentFromFile(fstest.MapFS{}, "amd64", dir)
	if !errors.Is(err, ErrNoAgent) || !strings.HasSuffix(err.Error(), "run: make build") || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v", err)
	}
}

func TestBadAgentsAreRefused(t *testing.T) {
	huge := packed(append(program("amd64", ""), make([]byte, maxAgent)...))
	for _, tc := range []struct {
		name string
		file *fstest.MapFile
		want string
	}{
		{"no gzip", &fstest.MapFile{Data: program("amd64", "plain")}, "gzip: invalid header"},
		{"half a gzip", &fstest.MapFile{Data: packed(program("amd64", "x")).Data[:30]}, "unexpected EOF"},
		{"a script", packed([]byte("#!/bin/sh\n")), "it is no Linux program"},
		{"another machine", packed(program("riscv64", "")), "it is for riscv, not for amd64"},
		{"a bomb", huge, "it has more than 64 MiB"},
	} {
		_, err := agentFromFile(fstest.MapFS{"agents/agent-linux-amd64.gz": tc.file}, "amd64", t.TempDir())
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "read the agent in this program: ") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	_, err := agentFromFile(fstest.MapFS{"agents/agent-linux-riscv64.gz": packed(program("riscv64", ""))}, "riscv64", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "no agents for riscv64") {
		t.Errorf("riscv64: %v", err)
	}
}

func TestPathNamesTheBuild(t *testing.T) {
	if got := AgentPath("0123456789abcdef0123"); got != "/run/docker-wsl-bridge/agent-0123456789abcdef" {
		t.Errorf("path %s", got)
	}
}

func TestNativeArchIsThisMachines(t *testing.T) {
	// An amd64 machine under test; an emulated program there has no test.
	if got := NativeArch(); got != runtime.GOARCH {
		t.Errorf("%s on %s", got, runtime.GOARCH)
	}
}

func TestScriptNeedsNoQuotingOnWindows(t *testing.T) {
	s := putScript(Dir, Binary{Arch: "arm64", Size: 3 << 20, Hash: strings.Repeat("f", 64)})
	if strings.ContainsAny(s, "\"\\\n\r\t%^") {
		t.Errorf("script has a character that a command line may change: %s", s)
	}
	if strings.Contains(s, "EXIT") || len(s) > 2000 {
		t.Errorf("script, %d bytes: %s", len(s), s)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
}
