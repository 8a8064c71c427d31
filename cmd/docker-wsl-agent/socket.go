package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// openSocket makes the socket that the host asks for, with the access that it
// asks for or that is right for this distro.
func openSocket(l bridge.Listen) (net.Listener, bridge.Listening, error) {
	path, shared, err := socketPath(l.Socket)
	if err != nil {
		return nil, bridge.Listening{}, &bridge.AgentError{Kind: bridge.KindInvalid, Text: err.Error()}
	}
	access, err := accessFor(l, shared)
	if err != nil {
		return nil, bridge.Listening{}, &bridge.AgentError{Kind: bridge.KindInvalid, Text: err.Error()}
	}
	place, err := endpoint.Parse("unix:"+path, "linux")
	if err != nil {
		return nil, bridge.Listening{}, &bridge.AgentError{Kind: bridge.KindInvalid, Text: err.Error()}
	}
	listener, err := endpoint.Listen(place.Path(), access)
	if err != nil {
		return nil, bridge.Listening{}, &bridge.AgentError{Kind: kindOf(err), Text: explainError(err)}
	}
	if shared {
		listener = sharedListener{listener, path}
	}
	agent, err := describeSelf()
	if err != nil {
		return nil, bridge.Listening{}, errors.Join(err, listener.Close())
	}
	return listener, bridge.Listening{
		Mode:  fmt.Sprintf("%04o", access.ShownMode().Perm()),
		Owner: ownerWords(os.DirFS("/etc"), access, shared),
		Agent: agent,
	}, nil
}

func describeSelf() (bridge.Agent, error) {
	started, err := startOf(os.Getpid())
	return bridge.Agent{PID: os.Getpid(), Started: started}, err
}

// dialSocket connects to a socket that the host has named.
func dialSocket(ctx context.Context, socket string) (net.Conn, error) {
	place, err := endpoint.Parse("unix:"+socket, "linux")
	if err != nil {
		return nil, err
	}
	return place.Dial(ctx)
}

// explainError names another bridge as a person knows it: its agent's file has a
// hash for a name.
func explainError(err error) string {
	var inUse *endpoint.InUseError
	if errors.As(err, &inUse) && strings.HasPrefix(inUse.Program, "agent-") {
		other := *inUse
		other.Program = "another docker-wsl-bridge"
		return fmt.Sprintf("listen at unix:%s: %v", other.Path, &other)
	}
	return err.Error()
}

func kindOf(err error) bridge.Kind {
	var inUse *endpoint.InUseError
	switch {
	case errors.As(err, &inUse):
		return bridge.KindInUse
	case errors.Is(err, syscall.EROFS):
		return bridge.KindReadOnly
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return bridge.KindNoSpace
	case errors.Is(err, fs.ErrPermission):
		return bridge.KindDenied
	}
	return bridge.KindFailed
}

// restoreAccess gives a socket that is served the access that its bridge has given it.
func restoreAccess(mode, owner, socket string) int {
	access, err := endpoint.LookupAccess(os.DirFS("/etc"), mode, owner, -1)
	if err == nil {
		err = endpoint.RestoreAccess(socket, access)
	}
	if err != nil {
		return reportFailure(err)
	}
	return exitOK
}
