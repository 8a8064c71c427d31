package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// launch gathers the connections of one launch, hands them to the distro, and
// returns when the client has gone.
func (s *service) launch(interop *net.TCPConn, d *distro, l wire.Launch) {
	dir, untranslatable := translate(d.Distro, l.Cwd)
	if reason := refuse(d, l, untranslatable == nil); reason != "" {
		wire.Send(interop, wire.Reply{Error: reason, Detail: l.Cwd})
		return
	}
	d.enter()
	defer d.leave()
	faults := s.faultsOf(d, l)
	if !s.delay(interop, faults) {
		return
	}
	if err := d.start(); err != nil {
		wire.Send(interop, wire.Reply{Error: wire.ErrInternal, Detail: err.Error()})
		return
	}
	g := newGathering(interop)
	id := s.open(g)
	defer s.close(id, g)
	if wire.Send(interop, wire.Reply{Launch: id, Faults: faults}) != nil || !g.wait() {
		return
	}
	guest := guestLaunch{Launch: l, Faults: faults, Distro: d.Name, DefaultUser: d.User, Dir: dir, Untranslated: untranslatable != nil}
	if !s.handOver(g, d, guest) {
		return
	}
	io.Copy(io.Discard, g.conns[wire.Client])
}

// refuse says what is wrong with a launch before anything is started.
func refuse(d *distro, l wire.Launch, translated bool) string {
	if translated && d.vm.DriveC != "" && isDrivePath(l.Cwd, 'c') {
		// The real one does SetCurrentDirectory before it asks the service.
		if _, err := os.Stat(filepath.Join(d.vm.DriveC, slashes(l.Cwd[2:]))); err != nil {
			return wire.ErrDirectory
		}
	}
	if d.Version == 1 {
		return wire.ErrVersion1
	}
	return ""
}

func (s *service) open(g *gathering) (id string) {
	id = random(wire.LaunchLen)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.launches[id] = g
	return id
}

func (s *service) close(id string, g *gathering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.launches, id)
	g.abandon()
}

// handOver gives a launch to its distro, after the thaw if there is a freeze.
func (s *service) handOver(g *gathering, d *distro, l guestLaunch) bool {
	for s.hold(g.conns[wire.Interop], s.gate.opened()) {
		passed, err := s.gate.pass(func() error {
			return g.handOver(func(sockets []int) error { return d.launch(l, sockets) })
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "vm:", err)
		}
		if passed {
			return err == nil
		}
	}
	return false
}

// delay lets a launch wait as its faults and a freeze of everything have it, and
// says whether it goes on.
func (s *service) delay(client *net.TCPConn, f wire.Faults) bool {
	if f.Silent {
		return s.hold(client, nil)
	}
	if f.Slow > 0 {
		over := make(chan struct{})
		timer := time.AfterFunc(f.Slow, func() { close(over) })
		defer timer.Stop()
		if !s.hold(client, over) {
			return false
		}
	}
	return s.hold(client, s.gate.opened())
}

// hold waits until over is closed. It says false when the client has gone before,
// or the VM ends.
func (s *service) hold(client *net.TCPConn, over <-chan struct{}) bool {
	if over != nil && isClosed(over) {
		return true
	}
	gone := make(chan struct{})
	go func() { // ends below
		defer close(gone)
		client.Read(make([]byte, 1)) // nothing comes before the program's end
	}()
	defer func() {
		client.SetReadDeadline(time.Unix(1, 0))
		<-gone
		client.SetReadDeadline(time.Time{})
	}()
	select {
	case <-over:
		return true
	case <-gone:
	case <-s.ending:
	}
	return false
}
