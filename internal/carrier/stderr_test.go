package carrier

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// writerFunc is a function that is written to.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestStderrIsCopiedWhileTheProgramRuns(t *testing.T) {
	c := child("flood")
	var got bytes.Buffer
	end := make(chan struct{})
	c.Stderr = writerFunc(func(b []byte) (int, error) {
		got.Write(b)
		if bytes.HasSuffix(got.Bytes(), []byte("the end")) {
			close(end)
		}
		return len(b), nil
	})
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.CloseAfter(0)
	within(t, "the last of stderr", end) // it waits for us to end its stdin
	if want := 10<<20/6*len("flood ") + len("the end"); got.Len() != want {
		t.Errorf("%d bytes, want %d", got.Len(), want)
	}
	if kept := p.Stderr(); !bytes.HasSuffix(got.Bytes(), kept) || len(kept) != keptStderr {
		t.Errorf("%d other bytes are kept", len(kept))
	}
}

func TestAFailingCopyOfStderrStopsNothing(t *testing.T) {
	c := child("flood")
	calls := 0
	c.Stderr = writerFunc(func([]byte) (int, error) {
		calls++
		return 0, errors.New("the screen is gone")
	})
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, make([]byte, len("still here"))); err != nil {
		t.Fatal(err)
	}
	awaitStderr(t, p, "flood the end")
	if err := p.CloseAfter(0); err != nil {
		t.Fatal(err)
	}
	if calls != 1 || !bytes.HasSuffix(p.Stderr(), []byte("flood the end")) {
		t.Errorf("%d calls, kept %d bytes", calls, len(p.Stderr()))
	}
}

// A console whose text is being selected takes nothing: the program is ended all the same.
func TestAStoppedCopyOfStderrHoldsNoCloseUp(t *testing.T) {
	c := child("flood")
	stopped, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	c.Stderr = writerFunc(func(b []byte) (int, error) {
		close(stopped)
		<-release
		return 0, errors.New("the test has ended")
	})
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "the first of stderr", stopped)
	closed := make(chan error, 1)
	go func() { closed <- p.CloseAfter(0) }()
	if err := within(t, "close", closed); err != nil {
		t.Error(err)
	}
}
