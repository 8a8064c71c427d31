package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// dialTime bounds the wait for a pipe that is busy.
const dialTime = 10 * time.Second

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeclient:", err)
		os.Exit(1)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c.(*net.TCPConn))
		}
	}()
	fmt.Println(l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func serve(c *net.TCPConn) {
	defer c.Close()
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil {
		return
	}
	kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
	speak := talk
	if kind == "plain" {
		speak = ask
	}
	if err := speak(c, r, `\\.\pipe\`+name); err != nil {
		_ = c.SetLinger(0) // the close is a reset
	}
}

// talk goes both ways at once.
func talk(c *net.TCPConn, r io.Reader, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	pipe, err := winio.DialPipeContext(ctx, path)
	if err != nil {
		fmt.Fprintln(c, err)
		return nil
	}
	defer pipe.Close()
	fmt.Fprintln(c, "ok")
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(pipe, struct{ io.Reader }{r})
		if err == nil {
			err = pipe.(interface{ CloseWrite() error }).CloseWrite()
		}
		if err != nil { // whoever is gone takes no end, but a client sees that
			_ = c.CloseRead()
		}
		sent <- err
	}()
	_, err = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{pipe})
	if err != nil {
		return err
	}
	_ = c.CloseWrite()
	<-sent
	return nil
}

// ask says everything first: a handle that is not overlapped does one thing at a time.
func ask(c *net.TCPConn, r io.Reader, path string) error {
	h, err := open(path)
	if err != nil {
		fmt.Fprintln(c, err)
		return nil
	}
	defer windows.CloseHandle(h)
	fmt.Fprintln(c, "ok")
	question, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	var n uint32
	if err := windows.WriteFile(h, question, &n, nil); err != nil || int(n) != len(question) {
		return fmt.Errorf("said %d bytes of %d: %w", n, len(question), err)
	}
	b := make([]byte, 4096)
	for {
		err := windows.ReadFile(h, b, &n, nil)
		switch {
		case errors.Is(err, windows.ERROR_BROKEN_PIPE):
			return nil
		case err != nil && !errors.Is(err, windows.ERROR_MORE_DATA):
			return err
		}
		if _, err := c.Write(b[:n]); err != nil {
			return err
		}
	}
}

func open(path string) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	for end := time.Now().Add(dialTime); ; time.Sleep(10 * time.Millisecond) { // go-winio's step
		h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0)
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) || time.Now().After(end) {
			return h, err
		}
	}
}
