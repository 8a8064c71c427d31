package control

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// An instance that ends between the connection and its answer, as one of several links of a bridge that
// is told to stop at another of them, has ended.
func TestStopOfAnInstanceThatEndsJustNow(t *testing.T) {
	at, err := endpoint.Private(runDir(t), place.ID())
	if err != nil {
		t.Fatal(err)
	}
	l, err := at.ListenPrivate()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer l.Close()
		if c, err := l.Accept(); err == nil {
			_, _ = c.Read(make([]byte, 4096)) // the request
			l.Close()
			c.Close()
		}
	}()
	if err := Stop(t.Context(), at); err != nil {
		t.Error(err)
	}
}
