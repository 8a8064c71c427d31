// Command client is who uses a path of the benchmark: the same source as a program
// of Linux and of Windows, so that every column is measured by the same code.
//
//	client -target unix:/path|npipe:NAME -op OP [-for DURATION] [-n N] [-workers N] [-path PATH]
//
// It does one operation, checks every byte that it gets, and prints a load.Result
// as JSON. Exit code 0 says that there is one, not that all went well.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// halfConn is a connection whose two directions end by themselves.
type halfConn interface {
	net.Conn
	CloseWrite() error
}

// options are what it is asked for.
type options struct {
	target  string
	length  time.Duration
	n       int64
	workers int
	path    string
	argv    []string // of relay
}

// operations by their names. Each fills in a result; an error is one that keeps
// it from measuring at all.
var operations = map[string]func(options, *load.Result) error{
	"ping": ping, "kept": kept, "storm": storm, "burst": burst,
	"down": down, "up": up, "both": both, "late": late,
	"beside": beside, "hold": hold, "archive": archive, "relay": relay,
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var o options
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	op := flags.String("op", "", "what to do")
	flags.StringVar(&o.target, "target", "", "where the engine is")
	flags.DurationVar(&o.length, "for", time.Second, "for how long")
	flags.Int64Var(&o.n, "n", 0, "bytes, requests or streams")
	flags.IntVar(&o.workers, "workers", 1, "how many at once")
	flags.StringVar(&o.path, "path", "/_ping", "what is asked for")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	o.argv = flags.Args()
	do, known := operations[*op]
	if !known {
		fmt.Fprintf(os.Stderr, "client: there is no operation %q\n", *op)
		return 2
	}
	var r load.Result
	began := time.Now()
	err := do(o, &r)
	if r.Seconds == 0 {
		r.Seconds = time.Since(began).Seconds()
	}
	if err != nil {
		r.Fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return 1
	}
	return 0
}

// dialTime bounds a dial.
const dialTime = 10 * time.Second

func (o options) dial() (halfConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	return dial(ctx, o.target)
}
