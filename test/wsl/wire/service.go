package wire

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Service is the way to a running VM.
type Service struct{ address, token string }

// FindService takes ADDRESS/TOKEN apart, which is how a VM says where it is.
func FindService(value string) (Service, error) {
	address, token, ok := strings.Cut(value, "/")
	if !ok {
		return Service{}, errors.New("find VM: no ADDRESS/TOKEN")
	}
	return Service{address, token}, nil
}

// Refusal is the VM's no.
type Refusal struct{ Reason, Detail string }

func (r Refusal) Error() string { return r.Reason + ": " + r.Detail }

// Connect opens one connection of a launch.
func (s Service) Connect(index int, launch string) (*net.TCPConn, error) {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, fmt.Errorf("connect to the VM: %w", err)
	}
	conn := c.(*net.TCPConn)
	conn.SetReadBuffer(SocketBuffer)
	conn.SetWriteBuffer(SocketBuffer)
	if err := WriteHello(conn, Hello{Token: s.token, Conn: index, Launch: launch}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("greet the VM: %w", err)
	}
	return conn, nil
}

// Request opens an interop connection and asks one thing on it. The error is a
// Refusal when the VM says no.
func (s Service) Request(r Request) (*net.TCPConn, Reply, error) {
	var reply Reply
	conn, err := s.Connect(Interop, NoLaunch)
	if err != nil {
		return nil, reply, err
	}
	if err = Send(conn, r); err == nil {
		err = Receive(conn, &reply)
	}
	if err == nil && reply.Error != "" {
		err = Refusal{reply.Error, reply.Detail}
	}
	if err != nil {
		conn.Close()
		return nil, reply, err
	}
	return conn, reply, nil
}

// Ask does a request that needs no more than its reply.
func (s Service) Ask(r Request) (Reply, error) {
	conn, reply, err := s.Request(r)
	if err == nil {
		conn.Close()
	}
	return reply, err
}
