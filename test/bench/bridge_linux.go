package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

const runDir = "/run/docker-wsl-bridge/"

// starter gives the command that runs the product with these arguments.
type starter func(ctx context.Context, args []string) *exec.Cmd

// openBridges starts the product twice, once for each engine, in distros of their own.
func (p *place) openBridges(ctx context.Context, c *column, start starter, pipes map[string]string) (err error) {
	if c.docker, err = p.startBridge(ctx, c.name+"-"+engineDocker, pipes[engineDocker], start); err != nil {
		return err
	}
	c.bytes, err = p.startBridge(ctx, c.name+"-"+engineBytes, pipes[engineBytes], start)
	return err
}

func (p *place) startBridge(ctx context.Context, distro, pipe string, start starter) (*path, error) {
	b, socket, err := p.up(ctx, distro, pipe, "bench", start)
	if err != nil {
		return nil, err
	}
	p.onClose(func() error { return p.endBridge(b) })
	return &path{
		target:    "unix:" + p.s.VM.Path(distro, socket),
		halves:    func() (half, error) { return p.halves(b, distro) },
		processes: func() ([]int, error) { return p.ofDistro(b, distro) },
	}, nil
}

func (p *place) up(ctx context.Context, distro, pipe, name string, start starter) (*stage.Bridge, string, error) {
	// The kernel's list of sockets is one for all distros of this machine.
	socket := fmt.Sprintf("%s%s-%d.sock", runDir, name, os.Getpid())
	b, err := p.s.Up(ctx, start(context.WithoutCancel(ctx), []string{"up", "--json", "--distro", distro, "--pipe", pipe, "--socket", socket}))
	return b, socket, err
}

// endBridge ends one as a person does. One that was started by cmd.exe has its exit code.
func (p *place) endBridge(b *stage.Bridge) error {
	if filepath.Base(b.Cmd.Args[min(1, len(b.Cmd.Args)-1)]) != "cmd.exe" {
		return b.Close()
	}
	if err := b.Interrupt(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), cellTime)
	defer cancel()
	_, err := b.Wait(ctx)
	return err
}

func pipeNames(p *place) map[string]string {
	return map[string]string{engineDocker: p.s.Engine.Pipe, engineBytes: bytesPipe}
}

func (p *place) openBridge(ctx context.Context, c *column) error {
	return p.openBridges(ctx, c, p.startWindows, pipeNames(p))
}

func (p *place) bridgeAgain(ctx context.Context, c *column) (*again, error) {
	return p.againIn(ctx, c, p.s.Engine.Pipe, p.startWindows)
}

// againIn starts one more bridge in the column's distro, which has the agent's file.
func (p *place) againIn(ctx context.Context, c *column, pipe string, start starter) (*again, error) {
	distro := c.name + "-" + engineDocker
	b, socket, err := p.up(ctx, distro, pipe, "again", start)
	if err != nil {
		return nil, err
	}
	return &again{"unix:" + p.s.VM.Path(distro, socket), func() error { return p.endBridge(b) }}, nil
}

func (p *place) startWindows(ctx context.Context, args []string) *exec.Cmd {
	return p.s.Windows(ctx, args...)
}

// openPlain has plainwsl where wsl.exe is looked for: cmd.exe says so to the
// program, since Wine sets the variable anew in what is started from Linux.
func (p *place) openPlain(ctx context.Context, c *column) error {
	if err := p.buildPlain(ctx); err != nil {
		return err
	}
	if err := p.startLauncher(ctx); err != nil {
		return err
	}
	return p.openBridges(ctx, c, p.startPlain, pipeNames(p))
}

func (p *place) plainAgain(ctx context.Context, c *column) (*again, error) {
	return p.againIn(ctx, c, p.s.Engine.Pipe, p.startPlain)
}

func (p *place) startPlain(ctx context.Context, args []string) *exec.Cmd {
	exe := "Z:" + strings.ReplaceAll(stage.WindowsExe(), "/", `\`)
	cmd := p.s.Wine.Command(ctx, "cmd.exe", "/c", "set ProgramW6432="+plainDir+"&& "+exe+" "+strings.Join(args, " "))
	cmd.Env = append(cmd.Env, p.s.VM.Env()...)
	cmd.Env = append(cmd.Env, "BENCH_PLAIN="+p.launcher.address)
	return cmd
}

// openNative has a wsl.exe that becomes the program: the host's pipes are the
// agent's stdin and stdout.
func (p *place) openNative(ctx context.Context, c *column) error {
	if err := p.writeNativeWSL(); err != nil {
		return err
	}
	return p.openBridges(ctx, c, p.startNative, map[string]string{
		engineDocker: "unix:" + p.s.Docker.Socket, engineBytes: "unix:" + p.bytesSock,
	})
}

func (p *place) nativeAgain(ctx context.Context, c *column) (*again, error) {
	return p.againIn(ctx, c, "unix:"+p.s.Docker.Socket, p.startNative)
}

func (p *place) nativeDir() string { return filepath.Join(p.dir, "bench-native") }

func (p *place) startNative(ctx context.Context, args []string) *exec.Cmd {
	cmd := p.s.Linux(ctx, args...)
	cmd.Env = append(cmd.Env, "PATH="+p.nativeDir()+":"+os.Getenv("PATH"))
	return cmd
}

// writeNativeWSL takes what comes before -e for what the product writes there:
// -d DISTRO -u USER --cd DIRECTORY. Questions go to the stand-in.
func (p *place) writeNativeWSL() error {
	standIn := filepath.Join(p.s.Native(), "wsl.exe")
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\ncase \"$*\" in *' -e '*) ;; *) exec %s \"$@\" ;; esac\n", standIn)
	b.WriteString("while [ \"$1\" != -e ]; do\n  [ \"$1\" = -d ] && distro=$2\n  shift\ndone\nshift\ncase $distro in\n")
	for _, engine := range engines {
		distro := nameNative + "-" + engine
		cmd := p.s.VM.Command(context.Background(), distro, "root")
		check := asWSL(nil)
		fmt.Fprintf(&b, "%s) exec env -i %s %s %s %s '%s' \"$@\" ;;\n", distro, cmd.Path, strings.Join(cmd.Args[1:], " "), check[0], check[1], check[2])
	}
	b.WriteString("esac\n")
	if err := os.MkdirAll(p.nativeDir(), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.nativeDir(), "wsl.exe"), []byte(b.String()), 0o755)
}

// halves finds host and agent.
func (p *place) halves(b *stage.Bridge, distro string) (h half, err error) {
	pids, err := p.s.VM.Pids(distro)
	if err != nil {
		return h, err
	}
	for _, pid := range pids {
		if name := wsl.ProcessName(pid); strings.HasPrefix(name, runDir+"agent-") && strings.HasSuffix(name, " serve") {
			h.agent = pid
		}
	}
	h.host = b.Cmd.Process.Pid
	for _, line := range p.windowsOf(distro) {
		if strings.Contains(line, "docker-wsl-bridge.exe") && !strings.Contains(line, "cmd.exe") {
			h.host = pidOf(line)
		}
	}
	if h.agent == 0 {
		return h, errors.New("find the agent: it does not run")
	}
	return h, nil
}

// windowsOf are the Windows programs that name the distro, as "PID ARG ARG".
func (p *place) windowsOf(distro string) (list []string) {
	for _, line := range p.s.Wine.Processes() {
		if strings.Contains(line+" ", " "+distro+" ") {
			list = append(list, line)
		}
	}
	return list
}

func pidOf(line string) int {
	number, _, _ := strings.Cut(line, " ")
	pid, _ := strconv.Atoi(number) // Processes writes one
	return pid
}

// ofDistro is all that a bridge needs: host, wsl.exe, relays and agent.
func (p *place) ofDistro(b *stage.Bridge, distro string) ([]int, error) {
	pids, err := p.s.VM.Pids(distro)
	if err != nil {
		return nil, err
	}
	var windows []int
	for _, line := range p.windowsOf(distro) {
		if !strings.Contains(line, "cmd.exe") { // plain's way to say where wsl.exe is
			windows = append(windows, pidOf(line))
		}
	}
	if len(windows) == 0 {
		windows = []int{b.Cmd.Process.Pid}
	}
	return append(windows, pids...), nil
}
