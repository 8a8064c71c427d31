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

func (c *chunks) get(need int) *chunk {
	pool, size := &c.small, smallChunk
	if need > smallChunk {
		pool, size = &c.large, largeChunk
	}
	if spare, ok := pool.Get().(*chunk); ok {
		return spare
	}
	return &chunk{data: make([]byte, size)}
}

func (c *chunks) put(k *chunk) {
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

func (b *buffer) write(p []byte, from *chunks) {
	b.length += len(p)
	for len(p) > 0 {
		if b.tail == nil || b.tail.w == len(b.tail.data) {
			b.grow(from.get(len(p)))
		}
		n := copy(b.tail.data[b.tail.w:], p)
		b.tail.w += n
		p = p[n:]
	}
}

func (b *buffer) grow(c *chunk) {
	if b.tail == nil {
		b.head = c
	} else {
		b.tail.next = c
	}
	b.tail = c
}

func (b *buffer) read(p []byte, to *chunks) int {
	total := 0
	for len(p) > 0 && b.length > 0 {
		c := b.head
		n := copy(p, c.data[c.r:c.w])
		c.r += n
		p = p[n:]
		total += n
		b.length -= n
		if c.r == c.w {
			b.drop(to)
		}
	}
	return total
}

func (b *buffer) drop(to *chunks) {
	c := b.head
	b.head = c.next
	if b.head == nil {
		b.tail = nil
	}
	to.put(c)
}

func (b *buffer) clear(to *chunks) {
	for b.head != nil {
		b.drop(to)
	}
	b.length = 0
}
