package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// manager is the SCM's side of a service under test.
type manager struct {
	requests chan request
	told     []status
	code     uint32
	ended    chan struct{}
}

// start serves a body. The manager's fields may be read after synctest.Wait.
func start(body Body) *manager {
	m := &manager{requests: make(chan request), ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		m.code = serveBody(m.requests, func(s status) { m.told = append(m.told, s) }, body)
	}()
	return m
}

func (m *manager) states() (list []state) {
	synctest.Wait()
	for _, s := range m.told {
		list = append(list, s.state)
	}
	return list
}

func wantStates(t *testing.T, m *manager, want ...state) {
	t.Helper()
	if got := m.states(); !slices.Equal(got, want) {
		t.Fatalf("states %v, want %v", got, want)
	}
}

// untilStopped is a body that does its work and takes its time to end.
func untilStopped(drain time.Duration, code uint32) Body {
	return func(ctx context.Context, c Control) uint32 {
		c.Started()
		<-ctx.Done()
		time.Sleep(drain)
		return code
	}
}

func TestStatesAreTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go1 := make(chan struct{})
		m := start(func(ctx context.Context, c Control) uint32 {
			<-go1
			return untilStopped(0, 0)(ctx, c)
		})
		wantStates(t, m, startPending) // and not Running while it has not started
		close(go1)
		wantStates(t, m, startPending, running)
		m.requests <- request{control: stop}
		wantStates(t, m, startPending, running, stopPending)
		<-m.ended
		if m.code != 0 {
			t.Errorf("exit code %#x after a stop", m.code)
		}
	})
}

// The SCM gives a service up that shows no sign of life for as long as it has asked for.
func TestCheckpointsWhileItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := start(untilStopped(5500*time.Millisecond, 0))
		m.requests <- request{control: stop}
		m.requests <- request{control: stop} // an impatient person's is no second one
		<-m.ended
		last := uint32(0)
		for _, s := range m.told {
			if s.state != stopPending {
				continue
			}
			if s.checkpoint != last+1 || s.hint <= checkpoint {
				t.Errorf("checkpoint %d after %d, with a hint of %v", s.checkpoint, last, s.hint)
			}
			last = s.checkpoint
		}
		if last != 6 {
			t.Errorf("%d checkpoints in 5.5 s", last)
		}
	})
}

func TestStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m := start(func(context.Context, Control) uint32 { <-release; return 0 })
		m.requests <- request{control: stop}
		began := time.Now()
		<-m.ended
		if took := time.Since(began); took != stopTime || m.code != errTimeout {
			t.Errorf("ended after %v with %d", took, m.code)
		}
		close(release)
	})
}

// A body that starts late, when it has been told to end, does not make it Running again.
func TestStopBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := start(func(ctx context.Context, c Control) uint32 {
			<-ctx.Done()
			c.Started()
			time.Sleep(time.Millisecond)
			return 0
		})
		m.requests <- request{control: stop}
		<-m.ended
		wantStates(t, m, startPending, stopPending)
	})
}

func TestBodyThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := start(func(context.Context, Control) uint32 { return AppCode(3) })
		<-m.ended
		wantStates(t, m, startPending)
		if m.code != 0x20000003 {
			t.Errorf("exit code %#x", m.code)
		}
	})
}

func TestInterrogate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := start(untilStopped(0, 0))
		wantStates(t, m, startPending, running)
		m.requests <- request{control: interrogate}
		wantStates(t, m, startPending, running, running)
		m.requests <- request{control: stop}
		<-m.ended
	})
}

func TestEventsReachTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Event
		m := start(func(ctx context.Context, c Control) uint32 {
			c.Started()
			for {
				select {
				case e := <-c.Events:
					got = append(got, e)
				case <-ctx.Done():
					return 0
				}
			}
		})
		for _, r := range []request{
			{power, 0x04}, {power, 0x12}, {power, 0x07}, {power, 0x0a},
			{session, 0x07}, {session, 0x08}, {session, 0x06}, {session, 0x99}, {0, 0x04},
		} {
			m.requests <- r
		}
		synctest.Wait()
		if want := []Event{Suspend, Resume, Lock, Unlock, Logoff}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		m.requests <- request{control: stop}
		<-m.ended
		wantStates(t, m, startPending, running, stopPending)
	})
}

// A body that takes no events is stopped all the same.
func TestEventsThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := start(untilStopped(0, 0))
		for range 10 * keptEvents {
			m.requests <- request{session, 0x07}
		}
		m.requests <- request{control: stop}
		<-m.ended
	})
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uint32
	}{
		{"a child's 0", AppCode(0), 0},
		{"a child's 3", AppCode(3), 0x20000003},
		{"a child's NTSTATUS", AppCode(0xC0000005), 0xE0000005},
		{"wrong arguments", AppCode(160), 0x200000A0},
		{"no error", ErrorCode(nil), 0},
		{"an error of Windows", ErrorCode(fmt.Errorf("start: %w", syscall.Errno(2))), 2},
		{"another error", ErrorCode(errors.New("no")), 0x20000001},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, c.got, c.want)
		}
	}
}

func TestEventsHaveWords(t *testing.T) {
	for _, e := range events {
		if e.String() == "an unknown event" || e.String() == "" {
			t.Errorf("event %d is %q", e, e)
		}
	}
}

// What happens around a service is passed on in order while its program runs, whose exit code is the service's.
func TestMainPassesOnWhatHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard []Event
		m := start(MainBody(func(ctx context.Context, started func()) error {
			started()
			<-ctx.Done()
			time.Sleep(time.Second)
			return fmt.Errorf("it ends: %w", exited(3))
		}, func(e Event) { heard = append(heard, e) }))
		wantStates(t, m, startPending, running)
		m.requests <- request{power, 0x04}
		m.requests <- request{power, 0x12}
		synctest.Wait()
		m.requests <- request{control: stop}
		<-m.ended
		if !slices.Equal(heard, []Event{Suspend, Resume}) || m.code != AppCode(3) {
			t.Errorf("heard %v, code %#x", heard, m.code)
		}
	})
}

// exited is a program that has ended.
type exited int

func (e exited) Error() string { return "exit code" }
func (e exited) ExitCode() int { return int(e) }
