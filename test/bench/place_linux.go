package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

const (
	home      = "bench-home"  // a container that does nothing and holds a file
	bytesPipe = "bench_bytes" // the pipe in front of the engine of bytes
)

// A place is where all happens: a dockerd and an engine of bytes, each on a unix
// socket and behind a pipe, a VM with a distro for each bridge, and the clients.
type place struct {
	dir string
	o   options

	s         *stage.Stage // clients and bridges are in its VM
	engine    *load.Engine
	bytesSock string
	client    string // the Linux program
	clientExe string // the Windows one
	sum       uint32 // of the file in the container
	fileSize  int64
	launcher  *launcher

	wineServer int // the process that all Windows programs ask

	closers []func() error
}

func (p *place) onClose(f func() error) { p.closers = append(p.closers, f) }

func (p *place) close() (err error) {
	for i := len(p.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, p.closers[i]())
	}
	return err
}

func (p *place) open(ctx context.Context, out io.Writer) error {
	all, err := stage.Open(ctx, p.dir, out)
	if err != nil {
		return err
	}
	p.onClose(all.Close)
	if p.wineServer = wineServerOf(p.dir); p.wineServer == 0 {
		return errors.New("find wineserver: it does not run")
	}
	fmt.Fprintln(out, "starting the engine of bytes, the distros and the clients ...")
	if err := p.startBytes(ctx, all); err != nil {
		return err
	}
	if err := p.startDistros(ctx, all); err != nil {
		return err
	}
	if p.client, err = lab.Build(ctx, "linux", "./test/bench/client"); err != nil {
		return err
	}
	if p.clientExe, err = lab.Build(ctx, "windows", "./test/bench/client"); err != nil {
		return err
	}
	return p.furnish(ctx)
}

// startBytes serves the engine of bytes where dockerd serves, too: on a unix
// socket, and on TCP with a pipe before it.
func (p *place) startBytes(ctx context.Context, all *stage.Stage) error {
	p.bytesSock = filepath.Join(p.dir, "bytes.sock")
	unix, err := net.Listen("unix", p.bytesSock)
	if err != nil {
		return fmt.Errorf("start the engine of bytes: %w", err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(fmt.Errorf("start the engine of bytes: %w", err), unix.Close())
	}
	p.engine = load.Serve(unix, tcp)
	p.onClose(p.engine.Close)
	return all.Front(ctx, map[string]string{bytesPipe: tcp.Addr().String()})
}

// startDistros starts a VM with a distro for each bridge: the distro's name tells
// whose a process is.
func (p *place) startDistros(ctx context.Context, all *stage.Stage) error {
	o := wsl.Options{Dir: filepath.Join(p.dir, "bench-vm")}
	for _, column := range []string{nameBridge, namePlain, nameNative} {
		for _, engine := range engines {
			d := stage.LikeDebian(column + "-" + engine)
			d.Default = len(o.Distros) == 0
			o.Distros = append(o.Distros, d)
		}
	}
	s, err := all.WithVM(ctx, o)
	if err != nil {
		return err
	}
	p.s = s
	p.onClose(s.VM.Close)
	return nil
}

// furnish makes the container with its file, and sums the file up.
func (p *place) furnish(ctx context.Context) error {
	p.fileSize = p.o.bytes / 2
	script := fmt.Sprintf("head -c %d /dev/urandom >/file; sleep 100000", p.fileSize)
	said, err := p.s.Docker.Command(ctx, "run", "-d", "--network", "none", "--name", home, p.s.Docker.Image, "sh", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("start %s: %w: %s", home, err, said)
	}
	ready := fmt.Sprintf("until [ $(stat -c %%s /file) = %d ]; do usleep 10000; done", p.fileSize)
	if said, err := p.s.Docker.Command(ctx, "exec", home, "sh", "-c", ready).CombinedOutput(); err != nil {
		return fmt.Errorf("fill %s: %w: %s", home, err, said)
	}
	direct := &column{docker: &path{target: "unix:" + p.s.Docker.Socket}}
	r, err := p.runClient(ctx, direct, direct.docker, "-op", "archive", "-path", archivePath, "-n", fmt.Sprint(p.fileSize))
	if err != nil || r.Errors > 0 {
		return errors.Join(err, fmt.Errorf("read the file of %s: %s", home, r.Error))
	}
	p.sum = r.Sum
	return nil
}

// wslDir is where plainwsl is, as Windows knows it.
const plainDir = `C:\plain`

func (p *place) buildPlain(ctx context.Context) error {
	exe := filepath.Join(p.s.Wine.DriveC(), "plain", "WSL", "wsl.exe")
	return lab.BuildAt(ctx, "windows", "./test/bench/plainwsl", exe)
}
