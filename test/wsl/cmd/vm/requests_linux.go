package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// answer does one request.
func (s *service) answer(conn *net.TCPConn) {
	defer conn.Close()
	var r wire.Request
	if err := wire.Receive(conn, &r); err != nil {
		return
	}
	d := s.find(r.Distro)
	switch r.Op {
	case wire.OpLaunch, wire.OpClient, wire.OpTerminate:
		if d == nil {
			wire.Send(conn, wire.Reply{Error: notFound(r.Distro)})
			return
		}
	}
	conn.SetDeadline(time.Time{}) // what follows may take its time
	switch r.Op {
	case wire.OpLaunch:
		s.launch(conn, d, r.Launch)
	case wire.OpClient:
		s.serveClient(conn, d)
	default:
		reply, err := s.do(r, d)
		if err != nil {
			reply = wire.Reply{Error: wire.ErrInternal, Detail: err.Error()}
		}
		wire.Send(conn, reply)
	}
}

// do does what is done when it is answered.
func (s *service) do(r wire.Request, d *distro) (reply wire.Reply, err error) {
	switch r.Op {
	case wire.OpList:
		for _, d := range s.distros {
			reply.Distros = append(reply.Distros, wire.Distro{Name: d.Name, ID: d.ID(), Running: d.running(), Version: d.Version})
		}
	case wire.OpTerminate:
		d.stop(s.grace(d))
	case wire.OpShutdown:
		err = s.stopAll()
	case wire.OpFaults:
		s.mu.Lock()
		s.faults = r.Faults
		s.mu.Unlock()
	case wire.OpFreeze:
		err = s.freeze(r.Everything)
	case wire.OpThaw:
		err = s.thaw()
	default:
		err = errors.New("unknown request " + r.Op)
	}
	return reply, err
}

// find looks a distro up by its name, in any case of letters, or by its id; no
// name is the default one.
func (s *service) find(name string) *distro {
	for _, d := range s.distros {
		if name == "" || strings.EqualFold(d.Name, name) || strings.EqualFold(d.ID(), name) {
			return d
		}
	}
	return nil
}

// notFound is why a distro is not there: no name means that there is none at all.
func notFound(name string) string {
	if name == "" {
		return wire.ErrNoDistros
	}
	return wire.ErrDistroNotFound
}

// serveClient lets a process count as a client of a distro until it ends, and
// hangs up when the distro stops.
func (s *service) serveClient(conn *net.TCPConn, d *distro) {
	gone := d.enter()
	defer d.leave()
	if wire.Send(conn, wire.Reply{}) != nil {
		return
	}
	left := make(chan struct{})
	s.work.Go(func() {
		defer close(left)
		io.Copy(io.Discard, conn) // nothing comes
	})
	select {
	case <-left:
	case <-gone:
	case <-s.ending:
	}
}

// stopAll is --shutdown: every distro stops and their tmpfs is gone. None of
// them starts in the midst of it.
func (s *service) stopAll() error {
	for _, d := range s.distros {
		d.mu.Lock()
		defer d.mu.Unlock()
	}
	for _, d := range s.distros {
		d.halt(s.grace(d))
	}
	if err := unix.Unmount(s.plan.Shared(), unix.MNT_DETACH); err != nil {
		return fmt.Errorf("drop tmpfs of all distros: %w", err)
	}
	return s.mountShared()
}

// freeze stops all relays that there are, and launches to come if asked for.
func (s *service) freeze(everything bool) error {
	if everything {
		s.gate.shut()
	}
	return s.orderAll(order{Freeze: true})
}

// thaw ends every freeze.
func (s *service) thaw() error {
	s.gate.lift()
	return s.orderAll(order{Thaw: true})
}

func (s *service) orderAll(o order) error {
	var errs []error
	for _, d := range s.distros {
		errs = append(errs, d.order(o))
	}
	return errors.Join(errs...)
}

// grace is how long the programs of a distro have when it stops.
func (s *service) grace(d *distro) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.faults; f.Distro == "" || strings.EqualFold(f.Distro, d.Name) {
		return f.Grace
	}
	return 0
}

// faultsOf are the faults of one launch, which counts from now on.
func (s *service) faultsOf(d *distro, l wire.Launch) wire.Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.faults
	switch {
	case f.Distro != "" && !strings.EqualFold(f.Distro, d.Name):
	case f.Program != "" && !strings.Contains(l.File, f.Program):
	case f.Times == 1:
		last := *f
		*f = wire.Faults{Distro: last.Distro, Grace: last.Grace}
		return last
	case f.Times > 1:
		f.Times--
		return *f
	default:
		return *f
	}
	return wire.Faults{}
}
