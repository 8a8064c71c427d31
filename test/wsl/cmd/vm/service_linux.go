package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// connectTime is how long a client may take to open a launch's connections
// (the real relay waits 30 s in accept).
const connectTime = 30 * time.Second

// service is the WSL service and the VM in one.
type service struct {
	token    string
	distros  []*distro
	listener net.Listener
	work     sync.WaitGroup

	mu      sync.Mutex
	pending map[string]*gathering
}

// serve runs the VM that the plan on in describes, says on out how to reach it,
// and ends when in ends.
func serve(in io.Reader, out io.Writer) error {
	var p plan.VM
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	s := &service{token: random(wire.TokenLen), pending: map[string]*gathering{}}
	for _, d := range p.Distros {
		s.distros = append(s.distros, &distro{Distro: d, vm: p})
	}
	defer s.shutdown()
	if err := s.boot(p); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	s.work.Go(s.accept)
	fmt.Fprintf(out, "%s/%s\n", s.listener.Addr(), s.token)
	io.Copy(io.Discard, in) // the lifeline: nobody writes, its end is the end
	return nil
}

// boot makes what all distros share and starts them side by side.
func (s *service) boot(p plan.VM) error {
	if err := os.MkdirAll(p.Shared(), 0o755); err != nil {
		return err
	}
	// This runs in a mount namespace of its own, see the package that starts it.
	if err := unix.Mount("shared", p.Shared(), "tmpfs", 0, "mode=1777"); err != nil {
		return fmt.Errorf("mount tmpfs for all distros: %w", err)
	}
	errs := make([]error, len(s.distros))
	var boots sync.WaitGroup
	for i, d := range s.distros {
		boots.Go(func() { errs[i] = d.start() })
	}
	boots.Wait()
	return errors.Join(errs...)
}

// listen opens the port, with buffers that every accepted connection inherits.
func (s *service) listen() error {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, wire.SocketBuffer)
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, wire.SocketBuffer)
		})
	}}
	var err error
	s.listener, err = config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	return err
}

// shutdown ends everything: no distro and no goroutine is left.
func (s *service) shutdown() {
	if s.listener != nil {
		s.listener.Close()
	}
	s.mu.Lock()
	for _, g := range s.pending {
		g.abandon()
	}
	s.mu.Unlock()
	for _, d := range s.distros {
		d.stop()
	}
	s.work.Wait()
}

func (s *service) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.work.Go(func() { s.greet(conn.(*net.TCPConn)) })
	}
}

// greet reads a hello and gives the connection to whom it belongs.
func (s *service) greet(conn *net.TCPConn) {
	conn.SetDeadline(time.Now().Add(connectTime))
	h, err := wire.ReadHello(conn)
	if err != nil || subtle.ConstantTimeCompare([]byte(h.Token), []byte(s.token)) != 1 {
		conn.Close()
		return
	}
	if h.Conn == wire.Interop {
		s.answer(conn)
		return
	}
	s.mu.Lock()
	g := s.pending[h.Launch]
	s.mu.Unlock()
	if g == nil || !g.add(h.Conn, conn) {
		conn.Close()
	}
}

// answer does one request.
func (s *service) answer(conn *net.TCPConn) {
	defer conn.Close()
	var r wire.Request
	if err := wire.Receive(conn, &r); err != nil {
		return
	}
	reply := wire.Reply{}
	d := s.find(r.Distro)
	switch {
	case r.Op == wire.OpList:
		for _, d := range s.distros {
			reply.Names = append(reply.Names, d.Name)
		}
	case len(s.distros) == 0:
		reply.Error = wire.ErrNoDistros
	case d == nil:
		reply.Error = wire.ErrDistroNotFound
	case r.Op == wire.OpTerminate:
		d.stop()
	case r.Op == wire.OpLaunch:
		s.launch(conn, d, r.Launch)
		return
	default:
		reply = wire.Reply{Error: wire.ErrInternal, Detail: "unknown request " + r.Op}
	}
	wire.Send(conn, reply)
}

// find looks a distro up, in any case of letters; no name is the default one.
func (s *service) find(name string) *distro {
	for _, d := range s.distros {
		if name == "" || strings.EqualFold(d.Name, name) {
			return d
		}
	}
	return nil
}

// launch gathers the connections of one launch and hands them to the distro.
func (s *service) launch(interop *net.TCPConn, d *distro, l wire.Launch) {
	dir, untranslatable := translate(d.Distro, l.Cwd)
	if untranslatable == nil && d.vm.DriveC != "" && isDrivePath(l.Cwd, 'c') {
		// The real one does SetCurrentDirectory before it starts anything.
		if _, err := os.Stat(filepath.Join(d.vm.DriveC, slashes(l.Cwd[2:]))); err != nil {
			wire.Send(interop, wire.Reply{Error: wire.ErrDirectory, Detail: l.Cwd})
			return
		}
	}
	if err := d.start(); err != nil {
		wire.Send(interop, wire.Reply{Error: wire.ErrInternal, Detail: err.Error()})
		return
	}
	id := random(wire.LaunchLen)
	g := newGathering(interop)
	s.mu.Lock()
	s.pending[id] = g
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.pending, id)
		s.mu.Unlock()
		g.abandon()
	}()
	if wire.Send(interop, wire.Reply{Launch: id}) != nil {
		return
	}
	select {
	case <-g.complete:
	case <-g.abandoned:
		return
	case <-time.After(connectTime):
		return
	}
	if err := g.handOver(func(sockets []int) error {
		return d.launch(guestLaunch{Launch: l, Distro: d.Name, DefaultUser: d.User, Dir: dir, Untranslated: untranslatable != nil}, sockets)
	}); err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
	}
}

// random is a name nobody guesses, n characters long.
func random(n int) string {
	b := make([]byte, n/2)
	rand.Read(b)
	return hex.EncodeToString(b)
}
