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
	plan     plan.VM
	token    string
	distros  []*distro
	listener net.Listener
	work     sync.WaitGroup
	ending   chan struct{} // closed at the end
	gate     *gate

	mu       sync.Mutex
	launches map[string]*gathering
	faults   wire.Faults
}

// serve runs the VM that the plan on in describes, says on out how to reach it,
// and ends when in ends.
func serve(in io.Reader, out io.Writer) error {
	var p plan.VM
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	s := &service{
		plan: p, token: random(wire.TokenLen), ending: make(chan struct{}),
		gate: newGate(), launches: map[string]*gathering{},
	}
	for _, d := range p.Distros {
		s.distros = append(s.distros, &distro{Distro: d, vm: p})
	}
	defer s.shutdown()
	if err := s.boot(); err != nil {
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
func (s *service) boot() error {
	if err := os.MkdirAll(s.plan.Shared(), 0o755); err != nil {
		return err
	}
	if err := s.mountShared(); err != nil {
		return err
	}
	errs := make([]error, len(s.distros))
	var boots sync.WaitGroup
	for i, d := range s.distros {
		if !d.Stopped && d.Version != 1 {
			boots.Go(func() { errs[i] = d.start() })
		}
	}
	boots.Wait()
	return errors.Join(errs...)
}

// mountShared mounts the tmpfs of all distros. This runs in a mount namespace of
// its own, see the package that starts it.
func (s *service) mountShared() error {
	if err := unix.Mount("shared", s.plan.Shared(), "tmpfs", 0, "mode=1777"); err != nil {
		return fmt.Errorf("mount tmpfs for all distros: %w", err)
	}
	return nil
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
	close(s.ending)
	if s.listener != nil {
		s.listener.Close()
	}
	s.mu.Lock()
	for _, g := range s.launches {
		g.abandon()
	}
	s.mu.Unlock()
	for _, d := range s.distros {
		d.stop(0)
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
	g := s.launches[h.Launch]
	s.mu.Unlock()
	if g == nil || !g.add(h.Conn, conn) {
		conn.Close()
	}
}

// random is a name nobody guesses, n characters long.
func random(n int) string {
	b := make([]byte, n/2)
	rand.Read(b)
	return hex.EncodeToString(b)
}
