package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// bufferSize is that of dockerd.exe's pipes, both ways
// (moby, daemon/listeners/listeners_windows.go).
const bufferSize = 65536

// administrators own what SYSTEM and elevated administrators make, one of whom
// dockerd.exe is (Windows' default owner; under Wine it is nobody's user).
const administrators = "BA"

// listen opens \\.\pipe\NAME as dockerd.exe does, for an owner. It takes
// connections when it returns.
func listen(name, owner string) (net.Listener, error) {
	path := `\\.\pipe\` + name
	access, err := dockerdAccess(owner)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	l, err := winio.ListenPipe(path, &winio.PipeConfig{
		SecurityDescriptor: access,
		MessageMode:        true,
		InputBufferSize:    bufferSize,
		OutputBufferSize:   bufferSize,
	})
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	if err := takeParked(l, path); err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return l, nil
}

// dockerdAccess is the access of dockerd.exe's pipe: administrators, the
// system, and the members of a group, which here is the user alone.
func dockerdAccess(owner string) (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", fmt.Errorf("ask for the user: %w", err)
	}
	return fmt.Sprintf("O:%sD:P(A;;GA;;;BA)(A;;GA;;;SY)(A;;GRGW;;;%s)", owner, user.User.Sid), nil
}

// takeParked dials until a connection of our own has come out of Accept.
// go-winio keeps the first instance of a pipe without ever serving it. Windows
// lets no client onto that one, Wine does, and there the client would hang.
// Those dialled stay open till the end, so that none frees the parked one.
func takeParked(l net.Listener, path string) error {
	accepted := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = c.Close()
		}
		accepted <- err
	}()
	for range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		c, err := winio.DialPipeContext(ctx, path)
		cancel()
		if err == nil {
			defer c.Close()
		}
		select {
		case err := <-accepted:
			return err
		case <-time.After(50 * time.Millisecond): // it hangs: another one
		}
	}
	_ = l.Close() // ends the goroutine above
	return fmt.Errorf("take a connection: %w", <-accepted)
}
