package main

import (
	"errors"
	"io"
	"net"
)

// A conn is a message-mode pipe or a TCP connection.
type conn interface {
	net.Conn
	CloseWrite() error
}

// forward carries one connection to the engine and ends with it.
func forward(pipe conn, target string) {
	defer pipe.Close()
	c, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	engine := c.(conn)
	defer engine.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		direction(engine, pipe)
	}()
	direction(pipe, engine)
	<-done
}

// speak carries what the engine says and reads nothing of what it is told.
func speak(pipe conn, target string) {
	defer pipe.Close()
	engine, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer engine.Close()
	_ = carry(pipe, engine.(conn)) // either way it is over
}

// direction copies until src ends, and then ends dst's incoming direction. An
// error closes both, which also wakes the other direction.
func direction(dst, src conn) {
	err := carry(dst, src)
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		_ = dst.Close()
		_ = src.Close()
	}
}

// carry copies like io.Copy, but with a small buffer until a connection has
// more to say: thousands of them wait in Read, and nearly all for a request.
func carry(dst, src conn) error {
	buffer := make([]byte, 4096)
	for {
		n, err := src.Read(buffer)
		if n > 0 {
			if _, err := dst.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == len(buffer) && n < bufferSize {
			buffer = make([]byte, bufferSize)
		}
	}
}
