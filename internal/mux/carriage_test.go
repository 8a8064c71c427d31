package mux

import (
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// carriage is one end of a carrier that cuts and joins writes, delays them and
// stands still at random: each direction is a system pipe, and what is read of
// it comes in odd pieces.
type carriage struct {
	io.ReadWriteCloser
	slow bool // else it does neither delay nor stand still

	mu  sync.Mutex // the reader's and the writer's rolls
	rng *rand.Rand
}

func (c *carriage) piece(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == 0 || c.rng.IntN(3) == 0 {
		return n
	}
	return 1 + c.rng.IntN(min(n, 5000))
}

// late is how long the next piece waits: mostly not, at times like a slow
// relay, and seldom long enough for every window to fill.
func (c *carriage) late() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.slow {
		return 0
	}
	switch r := c.rng.IntN(1000); {
	case r == 0:
		return 50 * time.Millisecond
	case r < 20:
		return time.Duration(c.rng.IntN(int(2 * time.Millisecond)))
	}
	return 0
}

func (c *carriage) Read(b []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(b[:c.piece(len(b))])
	time.Sleep(c.late()) // the carrier's delay
	return n, err
}

func (c *carriage) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		time.Sleep(c.late())
		n, err := c.ReadWriteCloser.Write(b[written : written+c.piece(len(b)-written)])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
