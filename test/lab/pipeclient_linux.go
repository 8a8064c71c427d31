package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"time"
)

// PipeClients are clients of a prefix' named pipes: test/pipeclient.
type PipeClients struct {
	at    string
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan error
}

// StartPipeClients starts the program that makes them; ctx bounds the start only.
func (w *Wine) StartPipeClients(ctx context.Context) (*PipeClients, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	exe, err := Build(ctx, "windows", "./test/pipeclient")
	if err != nil {
		return nil, err
	}
	cmd := w.Command(context.WithoutCancel(ctx), exe)
	stdin, stdinErr := cmd.StdinPipe()
	stdout, stdoutErr := cmd.StdoutPipe()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := errors.Join(stdinErr, stdoutErr, cmd.Start()); err != nil {
		return nil, fmt.Errorf("start clients of pipes: %w", err)
	}
	p := &PipeClients{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- strings.TrimSpace(line)
		p.ended <- cmd.Wait()
	}()
	select {
	case p.at = <-ready:
		if p.at == "" {
			return nil, fmt.Errorf("start clients of pipes: %w: %s", p.kill(), &said)
		}
		return p, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("start clients of pipes: %w", errors.Join(ctx.Err(), p.kill()))
	}
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

// Close ends them all.
func (p *PipeClients) Close() error {
	_ = p.stdin.Close() // an error means that it has ended by itself
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("end clients of pipes: %w", err)
		}
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("end clients of pipes: %w: it had to be killed", p.kill())
	}
}

func (p *PipeClients) kill() error {
	_ = p.cmd.Process.Kill()
	return errors.Join(<-p.ended, p.stdin.Close())
}
