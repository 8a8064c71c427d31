package control

import (
	"errors"
	"testing"

	"github.com/Microsoft/go-winio"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// Another user who made the pipe in our name keeps us out, is named, and hears nothing.
func TestAStrangersPipeIsNotTheInstance(t *testing.T) {
	at, err := endpoint.PrivateEndpoint("", place.ID())
	if err != nil {
		t.Fatal(err)
	}
	l, err := winio.ListenPipe(at.Path(), &winio.PipeConfig{SecurityDescriptor: "O:S-1-5-21-1-2-3-1001D:P(A;;GA;;;WD)"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if n, _ := c.Read(make([]byte, 1)); n > 0 {
				t.Error("he got a byte")
			}
			c.Close()
		}
	}()
	var owned *endpoint.OwnerError
	if _, err := OpenInstance(t.Context(), runDir(t), place, handler(nil)); !errors.As(err, &owned) || owned.SID != "S-1-5-21-1-2-3-1001" {
		t.Errorf("%v", err)
	}
}
