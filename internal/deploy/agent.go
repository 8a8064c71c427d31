// Package deploy puts the agent in place: it finds the binary for the machine and writes it
// into the distro's /run through one launch of a shell.
//
// It knows the agent as a file only: its name is its hash, so a running one is never
// overwritten by another. It does not know how a shell is started in a distro, and does not start the agent.
//
// Law: what is under the final name is complete, executable, and in a directory that
// only root can change.
package deploy

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed agents
var embedded embed.FS

// maxAgent bounds what is read as an agent, embedded or not; it has a few MiB.
const maxAgent = 64 << 20

// ErrNoAgent says that this program was built without an agent and none lies beside it.
var ErrNoAgent = errors.New("no agent was built for it")

// Dir is where the agent goes: the distro's own tmpfs, which allows execution, is there before
// anything else and is gone with the distro (src/linux/init/config.cpp of microsoft/WSL).
const Dir = "/run/docker-wsl-bridge"

// Path is where the agent with that hash goes.
func Path(hash string) string { return Dir + "/" + fileName(hash) }

func fileName(hash string) string { return "agent-" + hash[:min(len(hash), 16)] }

// Binary is an agent to put in place.
type Binary struct {
	Arch  string // amd64 or arm64
	Bytes []byte // the ELF file
	Hash  string // its SHA-256 in hex, which is also the build's name
}

// NativeArch is the architecture of the machine, in Go's words. It is the distro's, too,
// even where this program is an emulated amd64 one on an arm64 machine.
func NativeArch() string { return nativeArch() }

// Agent returns the agent for arch: the one inside this program, else one beside it
// (docker-wsl-agent-linux-ARCH or docker-wsl-agent in exeDir), as a build from source has it.
func Agent(arch, exeDir string) (Binary, error) {
	return agentFrom(embedded, arch, exeDir)
}

func agentFrom(inside fs.FS, arch, exeDir string) (Binary, error) {
	packed, err := inside.Open("agents/agent-linux-" + arch + ".gz")
	if err == nil {
		defer packed.Close()
		b, err := unpack(packed)
		return checked(b, arch, "the agent in this program", err)
	}
	for _, name := range []string{"docker-wsl-agent-linux-" + arch, "docker-wsl-agent"} {
		path := filepath.Join(exeDir, name)
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Binary{}, fmt.Errorf("find agent: %w", err)
		}
		defer f.Close()
		b, err := readBounded(f)
		return checked(b, arch, path, err)
	}
	return Binary{}, fmt.Errorf("find agent for linux/%s, in this program or in %s: %w; run: make build", arch, exeDir, ErrNoAgent)
}

func unpack(r io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return readBounded(z)
}

func readBounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxAgent+1))
	if err == nil && len(b) > maxAgent {
		err = fmt.Errorf("it has more than %d MiB", maxAgent>>20)
	}
	return b, err
}

// checked makes a Binary of bytes that are a program for arch.
func checked(b []byte, arch, from string, err error) (Binary, error) {
	if err == nil {
		err = checkELF(b, arch)
	}
	if err != nil {
		return Binary{}, fmt.Errorf("read %s: %w", from, err)
	}
	sum := sha256.Sum256(b)
	return Binary{Arch: arch, Bytes: b, Hash: hex.EncodeToString(sum[:])}, nil
}

func checkELF(b []byte, arch string) error {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("it is no Linux program: %w", err)
	}
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]
	if want == elf.EM_NONE {
		return fmt.Errorf("there are no agents for %s", arch)
	}
	if f.Machine != want {
		return fmt.Errorf("it is for %s, not for %s", strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_")), arch)
	}
	return nil
}
