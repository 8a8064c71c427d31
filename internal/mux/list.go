package mux

// A stream can wait in all lists at a time, once in each.
const (
	controlList = iota
	readyList
	grownList
	lists
)

// list is a first-in first-out list threaded through its streams, so that
// waiting costs no memory and a stream that is forgotten leaves at once.
type list struct {
	kind       int
	head, tail *Stream
}

// place is a stream's place in one list.
type place struct {
	listed     bool
	prev, next *Stream
}

func (l *list) pushStream(st *Stream) {
	p := &st.places[l.kind]
	if p.listed {
		return
	}
	*p = place{listed: true, prev: l.tail}
	if l.tail == nil {
		l.head = st
	} else {
		l.tail.places[l.kind].next = st
	}
	l.tail = st
}

func (l *list) popStream() *Stream {
	st := l.head
	l.removeStream(st)
	return st
}

func (l *list) removeStream(st *Stream) {
	p := &st.places[l.kind]
	if !p.listed {
		return
	}
	if p.prev == nil {
		l.head = p.next
	} else {
		p.prev.places[l.kind].next = p.next
	}
	if p.next == nil {
		l.tail = p.prev
	} else {
		p.next.places[l.kind].prev = p.prev
	}
	*p = place{}
}

func (l *list) isEmpty() bool { return l.head == nil }
