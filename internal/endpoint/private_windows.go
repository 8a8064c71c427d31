package endpoint

import (
	"errors"
	"net"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

func private(_, name string) (Endpoint, error) {
	sid, err := ownSID()
	if err != nil {
		return Endpoint{}, err
	}
	return Parse("docker-wsl-bridge-"+sid+"-"+name, "windows")
}

func (e Endpoint) listenPrivate() (net.Listener, error) {
	if e.scheme != pipeScheme {
		return nil, errors.ErrUnsupported
	}
	sid, err := ownSID()
	if err != nil {
		return nil, err
	}
	return winio.ListenPipe(e.addr, &winio.PipeConfig{SecurityDescriptor: privateAccess(sid)})
}

// privateAccess is closed to inheritance (P) and to all but the user and the system.
func privateAccess(sid string) string { return "O:" + sid + "D:P(A;;GA;;;" + sid + ")(A;;GA;;;SY)" }

func ownSID() (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", err
	}
	return user.User.Sid.String(), nil
}
