package console

import "time"

// EventQueue shows events in their order, and never holds up who reports them: a
// click into a Windows console stops its output, and with it whoever writes.
type EventQueue[E any] struct {
	events chan E
	ended  chan struct{}
}

// QueuedEvents wait for a screen that stands still. What comes when there is no
// room is in the log alone.
const QueuedEvents = 100

func NewEventQueue[E any](show func(E)) *EventQueue[E] {
	s := &EventQueue[E]{events: make(chan E, QueuedEvents), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for e := range s.events {
			show(e)
		}
	}()
	return s
}

func (s *EventQueue[E]) ShowEvent(e E) {
	select {
	case s.events <- e:
	default:
	}
}

// Close returns when everything is shown, or the screen stands still.
func (s *EventQueue[E]) Close() {
	close(s.events)
	select {
	case <-s.ended:
	case <-time.After(lastLines):
	}
}
