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
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
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

// AgentPath is where the agent with that hash goes.
func AgentPath(hash string) string { return Dir + "/" + agentFileName(hash) }

func agentFileName(hash string) string { return "agent-" + hash[:min(len(hash), 16)] }

// Binary is an agent to put in place. Its bytes are unpacked when they are needed and not kept: it
// has 5 MiB, which a bridge would hold for all its life.
type Binary struct {
	Arch string // amd64 or arm64
	Hash string // SHA-256 of the ELF file in hex, which is also the build's name
	Size int64  // of the ELF file

	open func() (io.Reader, error)
}

// Open gives the ELF file.
func (b Binary) Open() (io.Reader, error) { return b.open() }

// NativeArch is the architecture of the machine, in Go's words. It is the distro's, too,
// even where this program is an emulated amd64 one on an arm64 machine.
func NativeArch() string { return nativeArch() }

// FindAgent returns the agent for arch: the one inside this program, else one beside it
// (docker-wsl-agent-linux-ARCH or docker-wsl-agent in exeDir), as a build from source has it.
func FindAgent(arch, exeDir string) (Binary, error) {
	return agentFromFile(embedded, arch, exeDir)
}

func agentFromFile(inside fs.FS, arch, exeDir string) (Binary, error) {
	packed := "agents/agent-linux-" + arch + ".gz"
	if _, err := fs.Stat(inside, packed); err == nil {
		return measureBinary(arch, "the agent in this program", func() (io.Reader, error) { return unpackFile(inside, packed) })
	}
	for _, name := range []string{"docker-wsl-agent-linux-" + arch, "docker-wsl-agent"} {
		path := filepath.Join(exeDir, name)
		f, err := files.OpenShared(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Binary{}, fmt.Errorf("find agent: %w", err)
		}
		defer f.Close()
		// A file may change, so its bytes are kept.
		b, err := io.ReadAll(io.LimitReader(f, maxAgent+1))
		if err != nil {
			return Binary{}, fmt.Errorf("read %s: %w", path, err)
		}
		return measureBinary(arch, path, func() (io.Reader, error) { return bytes.NewReader(b), nil })
	}
	return Binary{}, fmt.Errorf("find agent for linux/%s, in this program or in %s: %w; run: make build", arch, exeDir, ErrNoAgent)
}

// unpackFile reads a file of this program, which nobody has to close.
func unpackFile(inside fs.FS, name string) (io.Reader, error) {
	f, err := inside.Open(name)
	if err != nil {
		return nil, err
	}
	return gzip.NewReader(f)
}

// measureBinary makes a Binary of what open gives, which must be a program for arch.
func measureBinary(arch, from string, open func() (io.Reader, error)) (Binary, error) {
	b := Binary{Arch: arch, open: open}
	if err := b.measureSelf(); err != nil {
		return Binary{}, fmt.Errorf("read %s: %w", from, err)
	}
	return b, nil
}

func (b *Binary) measureSelf() error {
	r, err := b.open()
	if err != nil {
		return err
	}
	in := bufio.NewReader(io.LimitReader(r, maxAgent+1))
	head, err := in.Peek(headSize)
	if err != nil && err != io.EOF {
		return err
	}
	if err := checkELF(head, b.Arch); err != nil {
		return err
	}
	sum := sha256.New()
	if b.Size, err = io.Copy(sum, in); err != nil {
		return err
	}
	if b.Size > maxAgent {
		return fmt.Errorf("it has more than %d MiB", maxAgent>>20)
	}
	b.Hash = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// headSize is the part of an ELF file's header that ends with e_machine.
const headSize = 20

func checkELF(head []byte, arch string) error {
	if len(head) < headSize || string(head[:len(elf.ELFMAG)]) != elf.ELFMAG || elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return errors.New("it is no Linux program for this kind of machine")
	}
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]
	if want == elf.EM_NONE {
		return fmt.Errorf("there are no agents for %s", arch)
	}
	if machine := elf.Machine(binary.LittleEndian.Uint16(head[18:])); machine != want {
		return fmt.Errorf("it is for %s, not for %s", strings.ToLower(strings.TrimPrefix(machine.String(), "EM_")), arch)
	}
	return nil
}

// Own is the one that belongs to this program. It is looked for once: all of it is unpacked for that,
// and each distro and each link asks.
var Own = sync.OnceValues(func() (Binary, error) {
	exe, err := os.Executable()
	if err != nil {
		return Binary{}, fmt.Errorf("find own file: %w", err)
	}
	return FindAgent(NativeArch(), filepath.Dir(exe))
})
