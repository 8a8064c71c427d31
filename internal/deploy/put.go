package deploy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// Why an agent can't be put into a distro. What wsl.exe itself reports is a wsl.EndError.
var (
	ErrNoSpace  = errors.New("there is no space left")
	ErrReadOnly = errors.New("the file system is read-only")
	ErrNoWrite  = errors.New("the directory can't be written")
	ErrUnsafe   = errors.New("the directory is a symbolic link or belongs to somebody else")
	ErrNoExec   = errors.New("the file system allows no programs (noexec)")
	ErrArch     = errors.New("the distro is of another architecture")
	ErrNoTool   = errors.New("the distro lacks a program that is needed")
	ErrCut      = errors.New("not all of it arrived")
)

// Exit codes of the script. 1, 67, 87, 126, 127 and 255 have meanings to wsl.exe and to shells.
const (
	exitNoWrite = 41 + iota
	exitUnsafe
	exitCut
	exitNoExec
	exitArch
)

const (
	// leaveGrace is for the script's end, after its last word.
	leaveGrace = 2 * time.Second
	// maxNoise is how much may come before the script's word; wsl.exe's usage has 10 KiB.
	maxNoise = 16 << 10
)

// PutAgent writes bin to Path(bin.Hash) in a distro. start runs an argument list there as root,
// with stdin, stdout and stderr as pipes; all Put needs there is a POSIX shell and head, wc, chmod, mv, rm, mkdir
// and uname, which busybox has. It ends at the latest when ctx does.
//
// A file that is there already is replaced. Starting the agent first and putting it only on
// wsl.ErrExec saves a launch.
func PutAgent(ctx context.Context, start func(argv []string) (*carrier.Process, error), bin Binary) error {
	if err := putInDir(ctx, start, bin, Dir); err != nil {
		return fmt.Errorf("put agent into %s: %w", Dir, err)
	}
	return nil
}

func putInDir(ctx context.Context, start func(argv []string) (*carrier.Process, error), bin Binary, dir string) error {
	p, err := start([]string{"/bin/sh", "-c", putScript(dir, bin)})
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { p.CloseAfter(0) })
	defer stop()
	noise, err := talkToScript(p, bin)
	closed := p.CloseAfter(leaveGrace)
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return wsl.ExplainGivenUp(cause, noise, p.Stderr())
	}
	if closed != nil {
		return errors.Join(err, closed)
	}
	return explainFailure(err, noise, p)
}

// talkToScript waits for the script to be ready, sends the bytes and waits for its last word.
func talkToScript(p *carrier.Process, bin Binary) (noise []byte, err error) {
	out := bufio.NewReader(io.LimitReader(p, maxNoise))
	if noise, err = awaitLine(out, readyLine); err != nil {
		return noise, err
	}
	in, err := bin.open()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(p, in); err != nil {
		return nil, err
	}
	return awaitLine(out, doneLine(bin))
}

// awaitLine reads up to a line and returns what came before it: wsl.exe may have something to
// say on stdout.
func awaitLine(out *bufio.Reader, line string) (noise []byte, err error) {
	for {
		got, err := out.ReadBytes('\n')
		if err == nil && string(bytes.TrimRight(got, "\r\n")) == line {
			return noise, nil
		}
		noise = append(noise, got...)
		if err != nil {
			return noise, err
		}
	}
}

// explainFailure turns the end of the script into a reason.
func explainFailure(err error, noise []byte, p *carrier.Process) error {
	said := wsl.Decode(p.Stderr())
	var kind error
	switch p.ExitCode() {
	case exitNoWrite:
		kind = writeError(said)
	case exitUnsafe:
		kind = ErrUnsafe
	case exitCut:
		kind = ErrCut
	case exitNoExec:
		kind = ErrNoExec
	case exitArch:
		kind = ErrArch
	case 0:
		return fmt.Errorf("the shell did not do what it was told: %w", err)
	default:
		return wsl.ExplainEnd(noise, p.Stderr(), p.ExitCode())
	}
	if said == "" {
		return kind
	}
	return fmt.Errorf("%w: %s", kind, strings.Join(strings.Fields(said), " "))
}

// writeError reads the messages of errno, which LC_ALL=C keeps in English.
func writeError(said string) error {
	switch {
	case strings.Contains(said, "No space left on device"):
		return ErrNoSpace
	case strings.Contains(said, "Read-only file system"):
		return ErrReadOnly
	case strings.Contains(said, "not found"):
		return ErrNoTool
	}
	return ErrNoWrite
}

const readyLine = "docker-wsl-bridge: ready for the agent"

func doneLine(bin Binary) string { return "docker-wsl-bridge: put " + agentFileName(bin.Hash) }

// putScript is what the shell does. It is one line without double quotes and backslashes, so that
// nothing of it changes on its way through a Windows command line.
//
// All that can go wrong is tried before it says that it is ready: bytes on their way to a
// program that has ended make WSL's relay drop its last output and its exit code (init.cpp).
// That is why the space is filled with zeros first. The length is told
// and the end of stdin never waited for: some WSL kernels turn that
// end into an error (microsoft/WSL#40184).
func putScript(dir string, bin Binary) string {
	const text = `LC_ALL=C; export LC_ALL; umask 077; ` +
		`m=$(uname -m) || exit EXITNOWRITE; case $m in MACHINE) ;; *) exit EXITARCH;; esac; ` +
		`d=DIR; t=$d/.put.$$; ` +
		`[ -d $d ] || mkdir $d || exit EXITNOWRITE; ` +
		`[ ! -L $d ] && [ -O $d ] || exit EXITUNSAFE; ` +
		`trap 'rm -f $t $t.x' 0; trap 'exit EXITNOWRITE' 1 2 13 15; ` +
		`chmod 755 $d && rm -f $t $t.x && head -c LENGTH /dev/zero > $t || exit EXITNOWRITE; ` +
		`echo '#!/bin/sh' > $t.x && chmod 755 $t.x || exit EXITNOWRITE; $t.x || exit EXITNOEXEC; ` +
		`echo READY; ` +
		`head -c LENGTH > $t || exit EXITNOWRITE; [ $(wc -c < $t) -eq LENGTH ] || exit EXITCUT; ` +
		`chmod 755 $t && mv -f $t $d/NAME || exit EXITNOWRITE; ` +
		`echo DONE`
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[bin.Arch]
	return strings.NewReplacer(
		"MACHINE", machine, "DIR", dir, "LENGTH", fmt.Sprint(bin.Size), "NAME", agentFileName(bin.Hash),
		"READY", readyLine, "DONE", doneLine(bin),
		"EXITNOWRITE", fmt.Sprint(exitNoWrite), "EXITUNSAFE", fmt.Sprint(exitUnsafe), "EXITCUT", fmt.Sprint(exitCut),
		"EXITNOEXEC", fmt.Sprint(exitNoExec), "EXITARCH", fmt.Sprint(exitArch),
	).Replace(text)
}

// RemoveArgs are a program and its arguments that remove the files of agents, of every build, from
// a distro. A directory that is not root's own is left alone, as it is when one is put there.
func RemoveArgs() []string {
	return []string{"/bin/sh", "-c", "d=" + Dir + "; [ ! -L $d ] && [ -O $d ] || exit 0; " +
		"rm -f $d/agent-* $d/.put.* || exit 1; rmdir $d 2>/dev/null; exit 0"}
}
