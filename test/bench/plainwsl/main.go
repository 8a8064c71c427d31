// Command plainwsl takes the place of wsl.exe where the benchmark wants no relay
// between the halves: a program is started in its distro with a socket as stdin
// and stdout, and this end copies as it comes, 64 KiB at a time. Questions to WSL
// itself are passed on to the stand-in.
//
// BENCH_PLAIN=ADDRESS/TOKEN names who starts programs. It sends one line of JSON
// on a first connection, which then is the program's stdio, and on a second one,
// which says the exit code.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// failed is wsl.exe's exit code for errors of its own.
const failed = -1

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	e := slices.Index(args, "-e")
	if e < 0 {
		return passOn(args)
	}
	launch := load.Launch{ID: rand.Text(), Argv: args[e+1:]}
	for i := 0; i+1 < e; i++ {
		switch args[i] {
		case "-d":
			launch.Distro = args[i+1]
		case "-u":
			launch.User = args[i+1]
		}
	}
	code, err := start(launch)
	if err != nil {
		fmt.Fprintln(os.Stderr, "plainwsl:", err)
		return failed
	}
	return code
}

// standIn is where the stage has it. Not by %ProgramFiles%: Wine takes that from
// %ProgramW6432%, which led here.
const standIn = `C:\Program Files\WSL\wsl.exe`

// passOn has the stand-in answer.
func passOn(args []string) int {
	cmd := exec.Command(standIn, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "plainwsl:", err)
		return failed
	}
	return cmd.ProcessState.ExitCode()
}

func start(l load.Launch) (int, error) {
	address, token, _ := strings.Cut(os.Getenv("BENCH_PLAIN"), "/")
	stdio, err := connect(address, load.Launch{ID: l.ID, Token: token})
	if err != nil {
		return 0, err
	}
	defer stdio.Close()
	if _, err := io.ReadFull(stdio, make([]byte, 1)); err != nil { // it is known
		return 0, fmt.Errorf("announce stdio: %w", err)
	}
	l.Token = token
	control, err := connect(address, l)
	if err != nil {
		return 0, err
	}
	defer control.Close()
	go func() { // ends with the program
		carry(stdio, os.Stdin)
		_ = stdio.CloseWrite()
	}()
	carry(os.Stdout, stdio)
	var ended load.Ended
	if err := json.NewDecoder(control).Decode(&ended); err != nil {
		return 0, fmt.Errorf("read exit code: %w", err)
	}
	_, err = io.WriteString(os.Stderr, ended.Said)
	return ended.Code, err
}

func connect(address string, l load.Launch) (*net.TCPConn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(c).Encode(l); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c.(*net.TCPConn), nil
}

// carry copies until either side is gone, without the ways that an io.Copy may know.
func carry(to io.Writer, from io.Reader) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 64<<10))
}
