package main

import "sync"

// gate holds launches back while everything is frozen.
type gate struct {
	mu   sync.RWMutex  // held for reading while a launch passes
	open chan struct{} // closed, as a channel, while the gate is open
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

// opened is closed when launches may pass.
func (g *gate) opened() <-chan struct{} {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.open
}

// pass does something that the gate can't close upon, unless it is closed.
func (g *gate) pass(do func() error) (passed bool, err error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if !isClosed(g.open) {
		return false, nil
	}
	return true, do()
}

// shut closes the gate: whoever has passed has done so before it returns.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if isClosed(g.open) {
		g.open = make(chan struct{})
	}
}

func (g *gate) lift() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !isClosed(g.open) {
		close(g.open)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
