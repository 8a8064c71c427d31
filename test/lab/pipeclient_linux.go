package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// PipeClients are clients of a prefix' named pipes: test/pipeclient.
type PipeClients struct {
	*aide
	at string
}

// StartPipeClients starts the program that makes them; ctx bounds the start only.
func (w *Wine) StartPipeClients(ctx context.Context) (*PipeClients, error) {
	a, at, err := w.startAide(ctx, "clients of pipes", "./test/pipeclient")
	if err != nil {
		return nil, err
	}
	return &PipeClients{a, at}, nil
}

// Dial connects one to a pipe; kind is "winio" or "plain".
func (p *PipeClients) Dial(kind, pipe string) (*net.TCPConn, error) {
	c, err := net.Dial("tcp", p.at)
	if err != nil {
		return nil, err
	}
	answer := make([]byte, 1)
	line := ""
	_, err = fmt.Fprintf(c, "%s %s\n", kind, pipe)
	for err == nil && answer[0] != '\n' { // no byte behind the line
		if _, err = io.ReadFull(c, answer); err == nil {
			line += string(answer)
		}
	}
	if err == nil && line != "ok\n" {
		err = errors.New(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dial pipe %s: %w", pipe, err), c.Close())
	}
	return c.(*net.TCPConn), nil
}
