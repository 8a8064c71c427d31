package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
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
	restartAlways    = "always"
	restartOnFailure = "on-failure"
	restartNever     = "never"
)

// supervised is a command that is kept running.
type supervised struct {
	argv    []string
	restart string
	asker   []string  // the command that asks it to end, on Windows
	out     io.Writer // takes its stdout
	errOut  io.Writer // and its stderr; may be the same
	log     *slog.Logger
	started func() // when it runs for the first time; not nil

	ran bool
}

// newSupervised gives one without a command.
func newSupervised() *supervised { return &supervised{started: func() {}} }

// exitError is the end of a command that has failed.
type exitError struct{ code int }

func (e *exitError) Error() string {
	if e.code < 0 {
		return "the command was ended by a signal"
	}
	return fmt.Sprintf("the command has ended with exit code %d", e.code)
}

// exit is the code as our own.
func (e *exitError) exit() int {
	if e.code < 0 {
		return 1
	}
	return e.code
}

// startError is a command that can't be started at all.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }

func (*startError) Is(err error) bool { return err == advice.ErrNoStart }

// run keeps the command running until ctx ends, which is success, or it is not to be
// started again. What can't be started at first is not tried again.
func (s *supervised) run(ctx context.Context) error {
	err := supervisor.Run(ctx, s.attempt, func(err error, pause time.Duration) (last bool) {
		if !s.ran || !again(s.restart, err) {
			return true
		}
		s.log.Warn("command ends and starts again", "why", reason(err), "pause", pause.Round(time.Millisecond), logs.Numbered(logs.EventRestarts))
		return false
	}, nil)
	if ctx.Err() != nil {
		s.log.Info("stopped")
		return nil
	}
	return err
}

func again(policy string, err error) bool {
	return policy == restartAlways || policy == restartOnFailure && err != nil
}

func reason(err error) string {
	if err == nil {
		return "the command has ended with exit code 0"
	}
	return err.Error()
}

// attempt is one run of the command, which goes well as long as it lasts.
func (s *supervised) attempt(ctx context.Context) (well time.Duration, err error) {
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
		if !p.Ask(stopGrace) {
			s.log.Warn("command is killed: it did not end when it was asked to", "within", stopGrace, logs.Numbered(logs.EventKilled))
		}
	}
	well = time.Since(began)
	return well, s.end(p, drained)
}

// end waits for the rest of the output and tells how the command has ended.
func (s *supervised) end(p *carrier.Process, drained <-chan struct{}) error {
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
		err = &exitError{p.ExitCode()}
	}
	return err
}

// body is the same as a service.
func (s *supervised) body(ctx context.Context, c service.Control) uint32 {
	s.started = c.Started
	log := s.toFile()
	defer log.Close() // nobody is there to be told of an error
	ctx, cancel := context.WithCancel(ctx)
	var listener sync.WaitGroup
	listener.Go(func() {
		for {
			select {
			case e := <-c.Events:
				s.log.Info(e.String())
			case <-ctx.Done():
				return
			}
		}
	})
	err := s.run(ctx)
	cancel()
	listener.Wait()
	if err != nil {
		s.log.Error("command ends", "error", err, logs.Numbered(logs.EventSupervise))
	}
	return serviceCode(err)
}

// serviceCode is the exit code of a service for how its command has ended.
func serviceCode(err error) uint32 {
	var ended *exitError
	if errors.As(err, &ended) {
		return service.AppCode(uint32(ended.exit()))
	}
	return service.ErrorCode(err)
}

func superviseCommand() *cobra.Command {
	s := newSupervised()
	cmd := &cobra.Command{
		Use:   "supervise [flags] -- COMMAND [ARGUMENT...]",
		Short: "Keep a command running, in the foreground or as a service",
		Long: `supervise runs a command and starts it again when it ends, after a pause that
grows from half a second to 30 s and starts over after a healthy minute. Its
output goes to stderr, of a service to a log (supervise-*.log beside those that
docker-wsl-bridge status names); its stdin is open, and nothing comes. It has no window, and
dies with supervise, even if that is killed.

Ctrl-C, or the stop of the service, asks the command to end: by Ctrl-C, on Linux
by SIGTERM. After 5 s it is killed, with all that it has started. Then the exit
code is 0, else it is the command's own. It fails at once if the command
can't be started at all.`,
		Example: `  docker-wsl-bridge supervise -- wsl.exe -d Debian -e /usr/bin/my-daemon
  docker-wsl-bridge supervise --restart always -- docker.exe events`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || cmd.ArgsLenAtDash() != 0 {
				return errors.New("the command stands behind --: docker-wsl-bridge supervise -- COMMAND")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.check(); err != nil {
				return err
			}
			if err := s.command(cmd.Context(), args, cmd.ErrOrStderr()); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&s.restart, "restart", restartOnFailure, "start the command again: always, on-failure or never (`when`)")
	return cmd
}

// check looks at how the command is to be started again.
func (s *supervised) check() error {
	switch s.restart {
	case restartAlways, restartOnFailure, restartNever:
		return nil
	}
	return fmt.Errorf("--restart: there is no %q; write always, on-failure or never", s.restart)
}

// command keeps a command running, here or as a service.
func (s *supervised) command(ctx context.Context, argv []string, stderr io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own file: %w", err)
	}
	s.argv = argv
	s.asker = []string{exe, pressKeys}
	screen := console.NewTeller(stderr)
	defer screen.Close()
	s.out, s.errOut = screen, screen
	s.log = slog.New(slog.NewTextHandler(screen.Lines(""), nil))
	if service.Started() {
		err = service.Run(s.body)
	} else {
		err = s.run(ctx)
	}
	return err
}

// pressKeys is a command for ourselves: only a program at a command's own console can
// press Ctrl-C there.
const pressKeys = "press-keys"

func pressKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: pressKeys + " KEYS PROCESS", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := carrier.PressKeys(args[0], args[1]); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
}
