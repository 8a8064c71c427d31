package mux

import (
	"sync"
	"time"
)

// deadline is one direction's deadline. Everything is guarded by the lock of
// the condition that it wakes.
type deadline struct {
	timer  *time.Timer
	passed bool
}

func (d *deadline) setTime(t time.Time, wake *sync.Cond) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.passed = true
		wake.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		wake.L.Lock()
		defer wake.L.Unlock()
		if d.timer == timer { // else it has been set anew since
			d.passed = true
			wake.Broadcast()
		}
	})
	d.timer = timer
}

func (d *deadline) stopTimer() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// SetDeadline sets both deadlines.
func (st *Stream) SetDeadline(t time.Time) error {
	return st.changeState(func() {
		st.readBy.setTime(t, &st.readable)
		st.writeBy.setTime(t, &st.writable)
	})
}

// SetReadDeadline makes reads fail with os.ErrDeadlineExceeded from t on; the
// zero time means never.
func (st *Stream) SetReadDeadline(t time.Time) error {
	return st.changeState(func() { st.readBy.setTime(t, &st.readable) })
}

// SetWriteDeadline makes writes fail with os.ErrDeadlineExceeded from t on;
// the zero time means never.
func (st *Stream) SetWriteDeadline(t time.Time) error {
	return st.changeState(func() { st.writeBy.setTime(t, &st.writable) })
}
