package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// vm is the way to the stand-in VM.
type vm struct{ address, token string }

func findVM(value string) (vm, error) {
	address, token, ok := strings.Cut(value, "/")
	if !ok {
		return vm{}, errors.New("WSL_STANDIN=ADDRESS/TOKEN is not set")
	}
	return vm{address, token}, nil
}

// refusal is the VM's no.
type refusal struct{ reason, detail string }

func (r refusal) Error() string { return r.reason + ": " + r.detail }

// connect opens one connection.
func (v vm) connect(index int, launch string) (*net.TCPConn, error) {
	c, err := net.Dial("tcp", v.address)
	if err != nil {
		return nil, fmt.Errorf("connect to the VM: %w", err)
	}
	conn := c.(*net.TCPConn)
	conn.SetReadBuffer(wire.SocketBuffer)
	conn.SetWriteBuffer(wire.SocketBuffer)
	if err := wire.WriteHello(conn, wire.Hello{Token: v.token, Conn: index, Launch: launch}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("greet the VM: %w", err)
	}
	return conn, nil
}

// request opens an interop connection and asks one thing on it.
func (v vm) request(r wire.Request) (*net.TCPConn, wire.Reply, error) {
	var reply wire.Reply
	conn, err := v.connect(wire.Interop, wire.NoLaunch)
	if err != nil {
		return nil, reply, err
	}
	if err = wire.Send(conn, r); err == nil {
		err = wire.Receive(conn, &reply)
	}
	if err == nil && reply.Error != "" {
		err = refusal{reply.Error, reply.Detail}
	}
	if err != nil {
		conn.Close()
		return nil, reply, err
	}
	return conn, reply, nil
}

// ask does a request that needs no more than its reply.
func (v vm) ask(r wire.Request) (wire.Reply, error) {
	conn, reply, err := v.request(r)
	if err == nil {
		conn.Close()
	}
	return reply, err
}

// has says whether a distro exists.
func (v vm) has(distro string) bool {
	reply, err := v.ask(wire.Request{Op: wire.OpList})
	for _, name := range reply.Names {
		if strings.EqualFold(name, distro) {
			return true
		}
	}
	return err != nil // a VM that doesn't answer has its own message
}

// launch starts a process, copies until it has ended, and returns its status.
func (v vm) launch(r wire.Request) (uint32, error) {
	interop, reply, err := v.request(r)
	if err != nil {
		return 0, err
	}
	var conns [wire.Interop]*net.TCPConn
	for i := range conns {
		if conns[i], err = v.connect(i, reply.Launch); err != nil {
			return 0, err
		}
	}
	// Its end is what tells the relay that wsl.exe is gone, so it stays open (and
	// in the collector's sight) until all is done.
	defer conns[wire.Terminal].Close()
	var out sync.WaitGroup
	out.Go(func() { output(conns[wire.Stdout], os.Stdout) })
	out.Go(func() { output(conns[wire.Stderr], os.Stderr) })
	// Nobody waits for this one, as in wsl.exe, which detaches the thread: it may
	// sit in a read of a standard input that never ends.
	go input(os.Stdin, conns[wire.Stdin])
	code := status(interop)
	out.Wait() // without a bound, as in wsl.exe (svccomm.cpp, microsoft/WSL#41164)
	return code, nil
}

// status waits for the exit status and sends it back. A channel that ends
// without one means that the relay, the distro or the VM is gone: 1.
func status(interop io.ReadWriter) uint32 {
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
func input(from io.Reader, to *net.TCPConn) {
	defer to.Close()
	buf := make([]byte, wire.RelayBuffer)
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
func output(from *net.TCPConn, to io.Writer) {
	defer from.Close()
	buf := make([]byte, wire.RelayBuffer)
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
