package endpoint

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

// owned makes a pipe of an owner, in SDDL, that everybody may open, and has serve
// serve it. The first connection is ours: under Wine nobody takes that one (see
// TestMessagePipesEndOneDirection).
func owned(t *testing.T, name, owner string, serve func(net.Conn)) (e Endpoint, first net.Conn) {
	t.Helper()
	e = pipe(t, name)
	l, err := winio.ListenPipe(e.Path(), &winio.PipeConfig{MessageMode: true, SecurityDescriptor: "O:" + owner + "D:P(A;;GA;;;WD)"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	first, err = e.DialAnyOwner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	return e, first
}

func TestPipesOfTrustedOwnersAreDialled(t *testing.T) {
	self, err := carrier.OwnSID()
	if err != nil {
		t.Fatal(err)
	}
	hello := func(c net.Conn) { io.WriteString(c, "hello"); c.Close() }
	for name, owner := range map[string]string{
		"endpoint-test-system": "SY", "endpoint-test-administrators": "BA", "endpoint-test-own": self,
	} {
		e, _ := owned(t, name, owner, hello)
		c, err := e.Dial(context.Background())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
			t.Errorf("%s says %q, %v", name, got, err)
		}
		c.Close()
	}
}

// Whoever has made the pipe before the engine did gets a connection, and nothing on it.
// It ends before they see it at all if they are slow to take it.
func TestAPipeOfSomebodyElseIsRefused(t *testing.T) {
	var taken atomic.Int32
	heard := make(chan string, 10)
	listen := func(c net.Conn) {
		defer c.Close()
		taken.Add(1)
		said, err := io.ReadAll(c)
		if err == nil {
			err = io.EOF
		}
		heard <- string(said) + err.Error()
	}
	e, first := owned(t, "endpoint-test-foreign", "S-1-5-21-1-2-3-1001", listen)
	c, err := e.Dial(context.Background())
	var owner *OwnerError
	if !errors.As(err, &owner) || !errors.Is(err, ErrOwner) || c != nil {
		t.Fatalf("connection %v, error %v", c, err)
	}
	if owner.SID != "S-1-5-21-1-2-3-1001" || owner.AccountName() != owner.SID {
		t.Errorf("owner %q, account %q", owner.SID, owner.AccountName())
	}
	if want := "dial " + e.String() + ": it belongs to somebody else (S-1-5-21-1-2-3-1001)"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	c, err = e.DialAnyOwner(context.Background())
	if err != nil {
		t.Fatalf("told otherwise: %v", err)
	}
	io.WriteString(c, "as you like it")
	c.Close()
	first.Close()
	// Every connection that was taken has ended.
	for ended, told := int32(0), false; !told || ended < taken.Load(); ended++ {
		select {
		case got := <-heard:
			if strings.HasPrefix(got, "as you like it") {
				told = true
			} else if got != "EOF" {
				t.Errorf("the pipe's owner heard %q", got)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %d connections have ended, told otherwise: %t", ended, taken.Load(), told)
		}
	}
}

func TestAnAccountIsNamed(t *testing.T) {
	if name := (&OwnerError{sidAdministrators}).AccountName(); !strings.HasSuffix(name, `\Administrators`) {
		t.Errorf("name %q", name)
	}
	if name := (&OwnerError{"no sid"}).AccountName(); name != "no sid" {
		t.Errorf("name %q", name)
	}
}
