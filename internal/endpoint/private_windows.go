package endpoint

import (
	"errors"
	"net"

	"github.com/Microsoft/go-winio"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

func privateEndpoint(_, name string) (Endpoint, error) {
	sid, err := carrier.OwnSID()
	if err != nil {
		return Endpoint{}, err
	}
	return Parse("docker-wsl-bridge-"+sid+"-"+name, "windows")
}

func (e Endpoint) listenPrivate() (net.Listener, error) {
	if e.scheme != pipeScheme {
		return nil, errors.ErrUnsupported
	}
	sid, err := carrier.OwnSID()
	if err != nil {
		return nil, err
	}
	return winio.ListenPipe(e.addr, &winio.PipeConfig{SecurityDescriptor: carrier.PrivateAccess(sid)})
}
