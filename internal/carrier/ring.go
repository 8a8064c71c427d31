package carrier

import "sync"

// ring keeps the last bytes written to it.
type ring struct {
	mu   sync.Mutex
	buf  []byte
	next int  // where the next byte goes
	full bool // the bytes from next on are older ones
}

func newRing(size int) *ring { return &ring{buf: make([]byte, size)} }

func (r *ring) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	written := len(b)
	if over := len(b) - len(r.buf); over > 0 {
		b = b[over:]
	}
	n := copy(r.buf[r.next:], b)
	if n < len(b) {
		copy(r.buf, b[n:])
	}
	r.full = r.full || r.next+len(b) >= len(r.buf)
	r.next = (r.next + len(b)) % len(r.buf)
	return written, nil
}

func (r *ring) lastBytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full {
		return append([]byte(nil), r.buf[:r.next]...)
	}
	return append(append([]byte(nil), r.buf[r.next:]...), r.buf[:r.next]...)
}
