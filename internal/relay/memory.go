package relay

import (
	"runtime/debug"
	"sync"
	"time"
)

// muchMemory is what large buffers must have left behind to be worth a collection.
const muchMemory = 1 << 20

// Memory gives back to the system what large buffers leave behind. The runtime would
// keep it: it collects when the heap has doubled or after two minutes, and an idle heap
// does not grow. Nil does nothing.
type Memory struct {
	mu      sync.Mutex
	left    int
	waiting bool // it will be given back
}

// releaseBuffer notes that a large buffer is of no use any more.
func (m *Memory) releaseBuffer() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left += LargeBuffer
	if m.left < muchMemory || m.waiting {
		return
	}
	m.waiting = true
	time.AfterFunc(2*parkTime, func() { // others that are idle now follow until then
		m.mu.Lock()
		m.left, m.waiting = 0, false
		m.mu.Unlock()
		debug.FreeOSMemory()
	})
}
