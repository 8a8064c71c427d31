package endpoint

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// pairsFor are connections through a pipe of ListenFor.
func pairsFor(t *testing.T, name string, allowed ...string) (e Endpoint, pair func() (dialled, accepted net.Conn)) {
	t.Helper()
	e = pipe(t, name)
	l, err := e.ListenFor(allowed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	accepted := listenOnSocket(t, e, l)
	return e, func() (net.Conn, net.Conn) {
		c, err := e.Dial(t.Context()) // which wants the pipe to be the user's
		if err != nil {
			t.Fatal(err)
		}
		return c, <-accepted
	}
}

func TestAPipeForClientsHalfCloses(t *testing.T) {
	_, pair := pairsFor(t, "endpoint-test-for")
	halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) {
		dialled, accepted := pair()
		return dialled.(halfclose.Conn), accepted.(halfclose.Conn)
	})
}

// A pipe that somebody has is not shared, whoever comes second.
func TestAPipeThatIsTakenIsInUse(t *testing.T) {
	e, pair := pairsFor(t, "endpoint-test-taken")
	var inUse *InUseError
	if l, err := e.ListenFor(nil); !errors.As(err, &inUse) {
		t.Errorf("a second listener: %v, %v", l, err)
	}
	a, b := pair()
	a.Close()
	b.Close()
	if _, err := pipe(t, "endpoint-test-nobody").ListenFor([]string{"no such account, really"}); err == nil || errors.As(err, &inUse) {
		t.Errorf("for an account that is not there: %v", err)
	}
}

// The pipe has the access list that was asked for, as Windows reads it.
func TestAPipeForClientsIsClosedToOthers(t *testing.T) {
	_, pair := pairsFor(t, "endpoint-test-access", "S-1-5-11")
	client, served := pair()
	defer client.Close()
	defer served.Close()
	sd, err := windows.GetSecurityInfo(windows.Handle(served.(interface{ Fd() uintptr }).Fd()), windows.SE_KERNEL_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	dacl, _, err := sd.DACL()
	if err != nil || dacl == nil || dacl.AceCount != 2 {
		t.Errorf("%v: %v", sd, err)
	}
	self, err := carrier.OwnSID()
	if err != nil {
		t.Fatal(err)
	}
	if owner, _, err := sd.Owner(); err != nil || owner == nil || owner.String() != self {
		t.Errorf("it belongs to %v, %v", owner, err)
	}
}

// A client that knows nothing of empty messages reads to the end of a pipe that was flushed, ended and
// closed, however late it comes.
func TestAPlainClientReadsToTheEndOfAClosedPipe(t *testing.T) {
	_, pair := pairsFor(t, "endpoint-test-plain")
	for _, size := range []int{0, 1, 3 * pipeBuffer} {
		client, served := pair()
		client.SetDeadline(time.Now().Add(30 * time.Second))
		go func() {
			_, _ = served.Write(make([]byte, size)) // the client counts
			_ = served.(CloseWriter).CloseWrite()
			served.Close()
		}()
		total := 0
		b := make([]byte, 5000)
		for ends := 0; ; {
			n, err := client.Read(b)
			total += n
			if err == io.EOF {
				if ends++; ends == 2 { // of the empty message, and of the closed pipe
					break
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if total != size {
			t.Errorf("%d bytes of %d", total, size)
		}
		client.Close()
	}
}
