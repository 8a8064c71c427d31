package supervise

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
)

// legacy is the command line of the earlier program of this name, as its services
// have it: [debug] [cli] "COMMAND LINE". It is one child without a window, for a service as
// long as that runs, and nothing that was said to that program is said differently here.
type legacy struct {
	debug bool   // wait for a debugger before anything else
	cli   bool   // run the child here, without the service control manager
	line  string // for CreateProcess, as it is
	wrong bool   // there is no such argument, or more than one
}

const (
	// BadArguments is ERROR_BAD_ARGUMENTS (160) as a service's exit code of a program's own.
	BadArguments = 160 | 1<<29
	// debuggerPoll is the time between two looks for a debugger.
	debuggerPoll = 500 * time.Millisecond
)

// LegacyForm tells whether args are such a command line. A service is one of these unless
// it names a command of ours; what a person types is one when it begins with a word of that
// program or is a whole command line, so that a mistyped command stays one.
func LegacyForm(args []string, started bool, commands []string) (l legacy, is bool) {
	rest := args
	if len(rest) > 0 && rest[0] == "debug" {
		l.debug, rest = true, rest[1:]
	}
	if len(rest) > 0 && rest[0] == "cli" {
		l.cli, rest = true, rest[1:]
	}
	if l.wrong = len(rest) != 1; !l.wrong {
		l.line = rest[0]
	}
	switch {
	case l.debug || l.cli:
		return l, true
	case started:
		return l, len(args) == 0 || !slices.Contains(commands, args[0])
	}
	return l, len(args) == 1 && strings.ContainsAny(args[0], " \t")
}

// Run returns the exit code of the process.
func (l legacy) Run(ctx context.Context, goos string, started bool, stderr io.Writer) int {
	if goos != "windows" {
		console.Complain(stderr, advice.ErrLegacyOS, advice.Hints("", advice.ErrLegacyOS))
		return 1
	}
	if l.debug && !awaitDebugger(ctx, stderr) {
		return 0
	}
	if l.wrong {
		console.Complain(stderr, advice.ErrLegacyArgs, advice.Hints("", advice.ErrLegacyArgs))
		if started && !l.cli {
			RefuseStart(BadArguments)
		}
		return BadArguments
	}
	if l.cli {
		return l.runHere(ctx, stderr)
	}
	err := service.Run(service.MainBody(func(ctx context.Context, started func()) error {
		return legacyEnd(carrier.RunLine(ctx, l.line, started))
	}, func(service.Event) {}))
	if err != nil {
		console.Complain(stderr, err, advice.Hints("", err))
	}
	return int(service.ErrorCode(err))
}

// runHere runs the child until it ends, or Ctrl-C.
func (l legacy) runHere(ctx context.Context, stderr io.Writer) int {
	code, err := carrier.RunLine(ctx, l.line, func() {})
	if err != nil {
		console.Complain(stderr, err, nil)
	}
	return int(legacyCode(code, err))
}

// legacyCode is Windows' own error if the child did not start.
func legacyCode(code uint32, err error) uint32 { return service.ErrorCode(legacyEnd(code, err)) }

// legacyEnd is how the child has ended, nil if that was well.
func legacyEnd(code uint32, err error) error {
	if err == nil && code != 0 {
		return &ExitError{int(code)}
	}
	return err
}

// awaitDebugger waits as long as it takes, and tells whether one has come before Ctrl-C.
func awaitDebugger(ctx context.Context, stderr io.Writer) bool {
	if !debuggerPresent() {
		fmt.Fprintln(stderr, "waiting for a debugger ...")
	}
	for !debuggerPresent() {
		select {
		case <-time.After(debuggerPoll):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// RefuseStart tells the service control manager, which has started us, what is wrong. Without a
// word it would wait for half a minute, and say only that none came.
func RefuseStart(code uint32) {
	_ = service.Run(func(context.Context, service.Control) uint32 { return code }) // it has what it wants to know, or has gone
}
