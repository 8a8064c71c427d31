package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// The columns.
const (
	nameDirect     = "direct"
	nameWindows    = "windows"
	nameBridge     = "bridge"
	namePlain      = "bridge-plain"
	nameNpiperelay = "npiperelay"
	nameOriginal   = "original"
	nameNative     = "native"
	nameBare       = "bare"
)

// The engines, which each column leads to.
const (
	engineDocker = "docker"
	engineBytes  = "bytes"
)

var engines = []string{engineDocker, engineBytes}

// A path leads from a client to one engine.
type path struct {
	target    string                       // where the client dials
	halves    func() (half, error)         // the product's two processes; nil: there are none
	processes func() (pids []int, _ error) // all on the path but client and engine; nil: none
}

// half is the two processes of a bridge.
type half struct{ host, agent int }

// A column is a path to each engine.
type column struct {
	name    string
	title   string
	wine    bool   // there is Wine on the path
	missing string // why it is not there
	docker  *path
	bytes   *path

	windowsClient bool
	peer          bool // a process for each connection
	floor         bool // no product: in the rows alone that say so
	open          func(ctx context.Context, c *column) error
	again         func(ctx context.Context, c *column) (*again, error) // starts it once more; nil: it never starts
}

// again is a second start of a column, to dockerd.
type again struct {
	target string
	end    func() error
}

func (c *column) bridge() bool {
	return c.name == nameBridge || c.name == namePlain || c.name == nameNative
}

// allColumns are what there is, not yet open.
func (p *place) allColumns() []*column {
	npiperelay := os.Getenv("NPIPERELAY")
	missing := ""
	if npiperelay == "" {
		missing = "NPIPERELAY names no npiperelay.exe"
	} else if _, err := os.Stat(npiperelay); err != nil {
		missing = fmt.Sprintf("NPIPERELAY: %v", err)
	}
	return []*column{
		{name: nameDirect, title: "a Linux client on the engine's own socket", open: p.openDirect},
		{name: nameWindows, title: "a Windows client on the pipe", wine: true, windowsClient: true, open: p.openWindows},
		{name: nameBridge, title: "the bridge, through the stand-in wsl.exe", wine: true, open: p.openBridge, again: p.bridgeAgain},
		{name: namePlain, title: "the bridge without WSL's relays", wine: true, open: p.openPlain, again: p.plainAgain},
		{name: nameNpiperelay, title: "socat with nofork and npiperelay.exe -ep -s", wine: true, peer: true, missing: missing, open: p.openNpiperelay, again: p.npiperelayAgain},
		{name: nameOriginal, title: originalTitle(), wine: true, peer: true, open: p.openOriginal, again: p.originalAgain},
		{name: nameNative, title: "the bridge's halves as Linux processes over pipes", open: p.openNative, again: p.nativeAgain},
		{name: nameBare, title: "two Linux processes that only copy", floor: true, open: p.openBare},
	}
}

func (p *place) openColumns(ctx context.Context, columns []*column, out io.Writer) error {
	for _, c := range columns {
		if c.missing != "" {
			fmt.Fprintf(out, "column %s: left out: %s\n", c.name, c.missing)
			continue
		}
		fmt.Fprintf(out, "column %s: %s\n", c.name, c.title)
		if err := c.open(ctx, c); err != nil {
			return fmt.Errorf("open column %s: %w", c.name, err)
		}
	}
	return nil
}

func (p *place) openDirect(_ context.Context, c *column) error {
	c.docker = &path{target: "unix:" + p.s.Docker.Socket}
	c.bytes = &path{target: "unix:" + p.bytesSock}
	return nil
}

func (p *place) openWindows(_ context.Context, c *column) error {
	c.docker = &path{target: "npipe:" + p.s.Engine.Pipe}
	c.bytes = &path{target: "npipe:" + bytesPipe}
	return nil
}

// openBare starts what has a floor, once for each engine.
func (p *place) openBare(ctx context.Context, c *column) error {
	exe, err := lab.Build(ctx, "linux", "./test/bench/bare")
	if err != nil {
		return err
	}
	near := func(engine, socket string) (*path, error) {
		from := filepath.Join(p.dir, nameBare+"-"+engine+".sock")
		cmd := exec.Command(exe, "near", from, socket)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, outErr := cmd.StdoutPipe()
		if err := errors.Join(outErr, cmd.Start()); err != nil {
			return nil, err
		}
		p.onClose(func() error {
			killed := cmd.Process.Kill()
			_ = cmd.Wait() // it says that it was killed
			return killed
		})
		_, err := io.ReadFull(out, make([]byte, 1)) // it listens
		return &path{target: "unix:" + from}, err
	}
	var dockerErr, bytesErr error
	c.docker, dockerErr = near(engineDocker, p.s.Docker.Socket)
	c.bytes, bytesErr = near(engineBytes, p.bytesSock)
	return errors.Join(dockerErr, bytesErr)
}

// clientCommand is the column's client.
func (p *place) clientCommand(ctx context.Context, c *column, args ...string) *exec.Cmd {
	if c.windowsClient {
		return p.s.Wine.Command(ctx, p.clientExe, args...)
	}
	cmd := exec.CommandContext(ctx, p.client, args...)
	cmd.WaitDelay = killTime
	return cmd
}
