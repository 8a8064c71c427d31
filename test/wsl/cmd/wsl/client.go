package main

import (
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// has says whether a distro exists.
func has(service wire.Service, distro string) bool {
	reply, err := service.Ask(wire.Request{Op: wire.OpList})
	for _, d := range reply.Distros {
		if strings.EqualFold(d.Name, distro) || strings.EqualFold(d.ID, distro) {
			return true
		}
	}
	return err != nil // a VM that doesn't answer has its own message
}

// start starts a process, copies until it has ended, and returns its status.
func start(service wire.Service, r wire.Request) (uint32, error) {
	interop, reply, err := service.Request(r)
	if err != nil {
		return 0, err
	}
	var conns [wire.Conns]*net.TCPConn
	for i := range conns {
		if i == wire.Interop {
			continue
		}
		if conns[i], err = service.Connect(i, reply.Launch); err != nil {
			return 0, err
		}
	}
	// Their end is what tells the relay and the service that wsl.exe is gone, so
	// they stay open (and in the collector's sight) until all is done.
	defer conns[wire.Terminal].Close()
	defer conns[wire.Client].Close()
	if err := misbehave(reply.Faults, r.Distro); err != nil {
		return 0, err
	}
	hop := reply.Faults.Hop()
	var out sync.WaitGroup
	out.Go(func() { output(conns[wire.Stdout], os.Stdout, hop) })
	out.Go(func() { output(conns[wire.Stderr], os.Stderr, hop) })
	// Nobody waits for this one, as in wsl.exe, which detaches the thread: it may
	// sit in a read of a standard input that never ends.
	go input(os.Stdin, conns[wire.Stdin], hop)
	code := exitStatus(interop)
	out.Wait() // without a bound, as in wsl.exe (svccomm.cpp, microsoft/WSL#41164)
	return code, nil
}

// exitStatus waits for the exit status and sends it back. A channel that ends
// without one means that the relay, the distro or the VM is gone: 1.
func exitStatus(interop io.ReadWriter) uint32 {
	var b [wire.StatusLen]byte
	if _, err := io.ReadFull(interop, b[:]); err != nil {
		return 1
	}
	interop.Write(b[:])
	return wire.ParseStatus(b[:])
}

// input copies standard input. A read of no bytes ends it for ever, error or
// not (relay.cpp, InterruptableRelay): on Windows that is what a write of no
// bytes to a pipe does to its reader.
func input(from io.Reader, to *net.TCPConn, hop int) {
	defer to.Close()
	buf := make([]byte, hop)
	for {
		n, _ := from.Read(buf)
		if n == 0 {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// output copies to standard output or error. When nobody reads there any more
// it hangs up on the relay, and wsl.exe goes on.
func output(from *net.TCPConn, to io.Writer, hop int) {
	defer from.Close()
	buf := make([]byte, hop)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
