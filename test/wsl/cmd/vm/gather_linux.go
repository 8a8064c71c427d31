package main

import (
	"net"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// gathering collects the connections of one launch.
type gathering struct {
	complete  chan struct{} // closed when all are there
	abandoned chan struct{} // closed when the launch is given up or over

	mu    sync.Mutex
	conns [wire.Conns]*net.TCPConn
	count int
	over  bool
}

func newGathering(interop *net.TCPConn) *gathering {
	g := &gathering{complete: make(chan struct{}), abandoned: make(chan struct{}), count: 1}
	g.conns[wire.Interop] = interop
	return g
}

// add takes a connection, unless it has come before or too late.
func (g *gathering) add(index int, conn *net.TCPConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over || g.conns[index] != nil {
		return false
	}
	g.conns[index] = conn
	if g.count++; g.count == wire.Conns {
		close(g.complete)
	}
	return true
}

// wait returns when all are there, and says no when they don't come.
func (g *gathering) wait() bool {
	select {
	case <-g.complete:
		return true
	case <-g.abandoned:
	case <-time.After(connectTime):
	}
	return false
}

// abandon closes whatever is still here.
func (g *gathering) abandon() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	g.over = true
	close(g.abandoned)
	for _, c := range g.conns {
		if c != nil {
			c.Close()
		}
	}
}

// handOver passes the relay's sockets on by number. This process keeps none of
// them: it would hide from wsl.exe that the distro is gone.
func (g *gathering) handOver(to func(sockets []int) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return net.ErrClosed
	}
	var sockets []int
	for _, c := range g.conns[:wire.Sockets] {
		c.SetDeadline(time.Time{})
		f, err := c.File()
		if err != nil {
			return err
		}
		defer f.Close()
		defer c.Close()
		sockets = append(sockets, int(f.Fd())) // Fd makes it a blocking one, as the relay needs it
	}
	g.conns[wire.Client].SetDeadline(time.Time{})
	return to(sockets)
}
