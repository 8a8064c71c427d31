package mux

import "sync"

// Two sizes of chunk: a stream that gets a little holds little, and any mix
// of frame sizes costs at most one part-filled chunk on top of its bytes.
const (
	smallChunk = 2 << 10
	largeChunk = 16 << 10
)

type chunk struct {
	next *chunk
	data []byte // whole capacity
	r, w int
}

// chunks are the session's spare chunks.
type chunks struct{ small, large sync.Pool }

func (c *chunks) takeChunk(need int) *chunk {
	pool, size := &c.small, smallChunk
	if need > smallChunk {
		pool, size = &c.large, largeChunk
	}
	if spare, ok := pool.Get().(*chunk); ok {
		return spare
	}
	return &chunk{data: make([]byte, size)}
}

func (c *chunks) putChunk(k *chunk) {
	k.next, k.r, k.w = nil, 0, 0
	if len(k.data) == smallChunk {
		c.small.Put(k)
		return
	}
	c.large.Put(k)
}

// buffer is a queue of bytes that holds no memory while it is empty.
type buffer struct {
	head, tail *chunk
	length     int
}

func (b *buffer) appendBytes(p []byte, from *chunks) {
	b.length += len(p)
	for len(p) > 0 {
		if b.tail == nil || b.tail.w == len(b.tail.data) {
			b.addChunk(from.takeChunk(len(p)))
		}
		n := copy(b.tail.data[b.tail.w:], p)
		b.tail.w += n
		p = p[n:]
	}
}

func (b *buffer) addChunk(c *chunk) {
	if b.tail == nil {
		b.head = c
	} else {
		b.tail.next = c
	}
	b.tail = c
}

func (b *buffer) readBufferedBytes(p []byte, to *chunks) int {
	total := 0
	for len(p) > 0 && b.length > 0 {
		c := b.head
		n := copy(p, c.data[c.r:c.w])
		c.r += n
		p = p[n:]
		total += n
		b.length -= n
		if c.r == c.w {
			b.dropFirstChunk(to)
		}
	}
	return total
}

func (b *buffer) dropFirstChunk(to *chunks) {
	c := b.head
	b.head = c.next
	if b.head == nil {
		b.tail = nil
	}
	to.putChunk(c)
}

func (b *buffer) clearAll(to *chunks) {
	for b.head != nil {
		b.dropFirstChunk(to)
	}
	b.length = 0
}
