package endpoint

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

// What Wine does not enforce is at least asked for, to the letter.
func TestPrivatePipeHasItsOwnerAndAccessList(t *testing.T) {
	e, err := PrivateEndpoint("", "endpoint-test")
	if err != nil {
		t.Fatal(err)
	}
	sid, err := carrier.OwnSID()
	if err != nil {
		t.Fatal(err)
	}
	if want := `\\.\pipe\docker-wsl-bridge-` + sid + "-endpoint-test"; e.Path() != want || !strings.HasPrefix(sid, "S-1-5-21-") {
		t.Errorf("it is %s, want %s", e.Path(), want)
	}
	l, err := e.ListenPrivate()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := listenOnSocket(t, e, l)
	c, err := e.Dial(context.Background()) // which looks at the owner
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	served := <-accepted
	go func() { io.WriteString(served, "hello"); served.Close() }()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if said, err := io.ReadAll(c); string(said) != "hello" || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	pipe := c.(interface{ Fd() uintptr }).Fd()
	sd, err := windows.GetSecurityInfo(windows.Handle(pipe), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	// FA is what GA has become, the list of a pipe.
	if want := "O:" + sid + "D:P(A;;FA;;;" + sid + ")(A;;FA;;;SY)"; sd.String() != want && sd.String() != carrier.PrivateAccess(sid) {
		t.Errorf("access %s, want %s", sd, want)
	}
}
