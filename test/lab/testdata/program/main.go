// Command program is a Windows console program for the tests of lab.
//
//	program wait       say "ready PID", await Ctrl-C, say so, exit 7
//	program child      as wait, with a child of its own console beside it
//	program ask PIPE   ask an engine for /_ping over a named pipe
//	program args ...   print the arguments, exit 3
//	program random     print 16 bytes of ProcessPrng in hex
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"
)

func main() { os.Exit(run(os.Args[1], os.Args[2:])) }

func run(what string, args []string) int {
	switch what {
	case "wait":
		return wait()
	case "child":
		return child()
	case "ask":
		return ask(args[0])
	case "args":
		fmt.Printf("%q", args)
		return 3
	case "random":
		fmt.Println(rand.Text())
		return 0
	}
	return 2
}

func wait() int {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	fmt.Println("ready", os.Getpid())
	select {
	case <-interrupts:
		fmt.Println("got ctrl-c")
		fmt.Fprintln(os.Stderr, "goodbye")
		return 7
	case <-time.After(20 * time.Second):
		return 9
	}
}

// child shows whether a Ctrl-C reaches a program that was started without a
// window, as wsl.exe is.
func child() int {
	cmd := exec.Command(os.Args[0], "wait")
	cmd.SysProcAttr = noWindow()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	first := make([]byte, len("ready"))
	if err == nil {
		_, err = io.ReadFull(out, first)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	code := wait()
	more := make(chan string)
	go func() {
		b, _ := io.ReadAll(out)
		more <- string(b)
	}()
	select {
	case text := <-more:
		fmt.Printf("the child said %q\n", text)
	case <-time.After(time.Second):
		fmt.Println("the child lives on")
	}
	return errorCode(code, cmd.Process.Kill())
}

func errorCode(code int, err error) int {
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 1
	}
	return code
}

func ask(pipe string) int {
	f, err := os.OpenFile(`\\.\pipe\`+pipe, os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer f.Close()
	if _, err := io.WriteString(f, "GET /_ping HTTP/1.0\r\n\r\n"); err != nil {
		fmt.Println(err)
		return 1
	}
	answer := make([]byte, 4096)
	n, err := f.Read(answer)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	line, _, _ := strings.Cut(string(answer[:n]), "\r\n")
	fmt.Println(line)
	return 0
}
