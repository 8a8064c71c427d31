// Package service is a program as a Windows service: it tells the service control
// manager (SCM) its states, and a body what the SCM wants.
//
// It knows states, controls and exit codes. It does not know what the body does, nor
// how a service is installed.
//
// Law: every state that is told is true. Running means that the body said so,
// StopPending that it was told to end and does; a service ends in bounded time.
package service

import (
	"context"
	"errors"
	"sync"
	"syscall"
)

// Body is what a service does. It should end soon after ctx, which ends when the SCM wants
// it to. What it returns is the service's exit code: 0, an error of Windows, or AppCode.
type Body func(ctx context.Context, c Control) (code uint32)

// Control is what a body has of its service.
type Control struct {
	// Started is called when the body does its work. Until then nobody can stop it.
	Started func()
	// Events are what happens around it. One that finds no room, with none taken for long, is lost.
	Events <-chan Event
}

// Exit codes of a service as Windows means them.
const (
	// appBit is set in codes that are not Windows' own.
	appBit = 1 << 29
	// errTimeout is ERROR_TIMEOUT.
	errTimeout = 1460
)

// AppCode is a program's exit code as a service's: 0 as it is, another one with the bit that
// keeps it from being read as one of Windows' errors.
func AppCode(code uint32) uint32 {
	if code == 0 {
		return 0
	}
	return code | appBit
}

// ErrorCode is an error as a service's exit code: that of a program that has ended so, Windows' own number where there
// is one in it, else AppCode(1).
func ErrorCode(err error) uint32 {
	var number syscall.Errno
	var program interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &program):
		return AppCode(uint32(program.ExitCode()))
	case errors.As(err, &number) && number != 0:
		return uint32(number)
	}
	return AppCode(1)
}

// MainBody is a Body that does something until that has ended, and passes on what happens around it meanwhile, one event after
// the other. Nothing is passed on any more when it has ended.
func MainBody(do func(ctx context.Context, started func()) error, onEvent func(Event)) Body {
	return func(ctx context.Context, c Control) uint32 {
		listening, cancel := context.WithCancel(ctx)
		var listener sync.WaitGroup
		listener.Go(func() {
			for {
				select {
				case e := <-c.Events:
					onEvent(e)
				case <-listening.Done():
					return
				}
			}
		})
		err := do(ctx, c.Started)
		cancel()
		listener.Wait()
		return ErrorCode(err)
	}
}

// ErrNotStarted says that the SCM did not start this process: Windows' error 1063.
var ErrNotStarted error = syscall.Errno(1063)

// Run makes this process a service until the body ends, once per process. Its error
// is ErrNotStarted or another one of Windows'; elsewhere it is errors.ErrUnsupported.
func Run(body Body) error { return runService(body) }

// StartedBySCM tells whether the SCM started this process. It is the only one whose image is
// services.exe; a stranger's of that name is told by Run.
func StartedBySCM() bool { return startedByManager() }
