// Package supervise keeps a command running, here or as a service, and runs the one command of the earlier program's
// command line.
//
// It does not know what the command does. Law: a command dies with us, and is asked before it is killed; of the
// earlier form nothing is said differently.
package supervise

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// stopGrace is what a command has to end when it is asked to.
	stopGrace = 5 * time.Second
	// lastOutput bounds the wait for output when the command has ended: something that
	// has left its group may hold the pipe, and a screen may stand still.
	lastOutput = time.Second
)

// The ways to treat a command that has ended.
const (
	RestartAlways    = "always"
	RestartOnFailure = "on-failure"
	RestartNever     = "never"
)

// Command is a command that is kept running.
type Command struct {
	argv    []string
	Restart string
	asker   []string  // the command that asks it to end, on Windows
	out     io.Writer // takes its stdout
	errOut  io.Writer // and its stderr; may be the same
	log     *slog.Logger
	started func() // when it runs for the first time; not nil

	ran bool
}

// NewCommand gives one without a command.
func NewCommand() *Command { return &Command{started: func() {}} }

// ExitError is the end of a command that has failed.
type ExitError struct{ code int }

func (e *ExitError) Error() string {
	if e.code < 0 {
		return "the command was ended by a signal"
	}
	return fmt.Sprintf("the command has ended with exit code %d", e.code)
}

// exit is the code as our own.
func (e *ExitError) ExitCode() int {
	if e.code < 0 {
		return 1
	}
	return e.code
}

// startError is a command that can't be started at all.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }

func (*startError) Is(err error) bool { return err == advice.ErrNoStart }

// keepRunning keeps the command running until ctx ends, which is success, or it is not to be
// started again. What can't be started at first is not tried again.
func (s *Command) keepRunning(ctx context.Context) error {
	err := supervisor.Run(ctx, s.runCommandOnce, func(err error, pause time.Duration) (last bool) {
		if !s.ran || !shouldStartAgain(s.Restart, err) {
			return true
		}
		s.log.Warn("command ends and starts again", "why", exitReason(err), "pause", pause.Round(time.Millisecond), logs.WithNumber(logs.EventRestarts))
		return false
	}, nil)
	if ctx.Err() != nil {
		s.log.Info("stopped")
		return nil
	}
	return err
}

func shouldStartAgain(policy string, err error) bool {
	return policy == RestartAlways || policy == RestartOnFailure && err != nil
}

func exitReason(err error) string {
	if err == nil {
		return "the command has ended with exit code 0"
	}
	return err.Error()
}

// runCommandOnce is one run of the command, which goes well as long as it lasts.
func (s *Command) runCommandOnce(ctx context.Context) (well time.Duration, err error) {
	p, err := carrier.Start(carrier.Command{
		Path: s.argv[0], Args: s.argv[1:], Stderr: s.errOut, Asker: s.asker,
		Env: wsl.Env(), // it is likely to be wsl.exe, whose words are then text
	})
	if err != nil {
		return 0, &startError{err}
	}
	began := time.Now()
	if !s.ran {
		s.ran = true
		s.started()
	}
	s.log.Info("command runs", "command", s.argv[0])
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(s.out, p) // it ends with the command
	}()
	select {
	case <-p.Done():
	case <-ctx.Done():
		if !p.AskToEnd(stopGrace) {
			s.log.Warn("command is killed: it did not end when it was asked to", "within", stopGrace, logs.WithNumber(logs.EventKilled))
		}
	}
	well = time.Since(began)
	return well, s.awaitEnd(p, drained)
}

// awaitEnd waits for the rest of the output and tells how the command has ended.
func (s *Command) awaitEnd(p *carrier.Process, drained <-chan struct{}) error {
	await := func() {
		select {
		case <-drained:
		case <-time.After(lastOutput):
		}
	}
	select {
	case <-p.Done():
		await()
	default:
	}
	err := p.CloseAfter(0)
	await() // a Write to a screen that stands still ends with the screen
	if err == nil && p.ExitCode() != 0 {
		err = &ExitError{p.ExitCode()}
	}
	return err
}

// serviceBody is the same as a service.
func (s *Command) serviceBody(ctx context.Context, c service.Control) uint32 {
	log := s.toFile()
	defer log.Close() // nobody is there to be told of an error
	return service.MainBody(func(ctx context.Context, started func()) error {
		s.started = started
		err := s.keepRunning(ctx)
		if err != nil {
			s.log.Error("command ends", "error", err, logs.WithNumber(logs.EventSupervise))
		}
		return err
	}, func(e service.Event) { s.log.Info(e.String()) })(ctx, c)
}

// CheckPolicy looks at how the command is to be started again.
func (s *Command) CheckPolicy() error {
	switch s.Restart {
	case RestartAlways, RestartOnFailure, RestartNever:
		return nil
	}
	return fmt.Errorf("--restart: there is no %q; write always, on-failure or never", s.Restart)
}

// Supervise keeps a command running, here or as a service.
func (s *Command) Supervise(ctx context.Context, argv []string, stderr io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own file: %w", err)
	}
	s.argv = argv
	s.asker = []string{exe, PressKeys}
	screen := console.NewAsyncWriter(stderr)
	defer screen.Close()
	s.out, s.errOut = screen, screen
	s.log = slog.New(slog.NewTextHandler(screen.LinesFrom(""), nil))
	if service.StartedBySCM() {
		err = service.Run(s.serviceBody)
	} else {
		err = s.keepRunning(ctx)
	}
	return err
}

// PressKeys is a command for ourselves: only a program at a command's own console can
// press Ctrl-C there.
const PressKeys = "press-keys"

// toFile has a service write to a file and the Event Log: nobody sees its stderr. The file is that
// of the command, in the state directory.
func (s *Command) toFile() io.Closer {
	dir, err := state.Dir()
	if err != nil {
		return logs.None{}
	}
	sum := sha256.Sum256([]byte(strings.Join(s.argv, "\x00")))
	file, err := logs.Open(filepath.Join(state.LogDir(dir), "supervise-"+hex.EncodeToString(sum[:8])+".log"))
	if err != nil {
		return logs.None{} // a command is worth more than its log
	}
	system, ends := logs.SystemHandler(install.EventSource, install.HasEventSource())
	s.log = slog.New(slog.NewMultiHandler(slog.NewTextHandler(file, nil), system))
	output := slog.New(slog.NewTextHandler(file, nil))
	tell := func(line string) { output.Info("output", "line", line) }
	said, saidErr := &console.LineWriter{Tell: tell}, &console.LineWriter{Tell: tell} // apart: a line may come in pieces
	s.out, s.errOut = said, saidErr
	return closeAll{said, saidErr, file, ends}
}
