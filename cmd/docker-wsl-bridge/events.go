package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// The numbers of our events in the Event Log, which never change their meaning. docs/events.md is for
// who acts on them.
const (
	eventFailed     = 10
	eventLost       = 11
	eventGone       = 12
	eventFrozen     = 13
	eventEngine     = 14
	eventLinkFailed = 15
	eventConfig     = 16
	eventRestarts   = 20
	eventKilled     = 21
	eventSupervise  = 22
)

// eventLevels has all events.
var eventLevels = map[int]slog.Level{
	logs.OtherWarning: slog.LevelWarn, logs.OtherError: slog.LevelError,
	eventFailed: slog.LevelError, eventLost: slog.LevelWarn, eventGone: slog.LevelWarn, eventFrozen: slog.LevelWarn,
	eventEngine: slog.LevelWarn, eventLinkFailed: slog.LevelWarn, eventConfig: slog.LevelError, eventRestarts: slog.LevelWarn, eventKilled: slog.LevelWarn, eventSupervise: slog.LevelError,
}

// eventOf is the number of what the daemon is at, if somebody should know.
func eventOf(state tunnel.State) (id int, is bool) {
	switch state {
	case tunnel.Lost:
		return eventLost, true
	case tunnel.Gone:
		return eventGone, true
	case tunnel.Frozen:
		return eventFrozen, true
	case tunnel.Failing:
		return eventLinkFailed, true
	}
	return 0, false
}

// numbered is what a log takes for an event.
func numbered(id int) slog.Attr { return slog.Int(logs.EventKey, id) }

// systemLog is a handler for the Event Log, and its end. It takes nothing where somebody is there to see,
// or no installation has registered us: Windows would show numbers without words.
func systemLog(source string, wanted bool) (slog.Handler, io.Closer) {
	if !wanted {
		return slog.DiscardHandler, nobody{}
	}
	s, err := logs.OpenSystem(source)
	if err != nil {
		return slog.DiscardHandler, nobody{} // the file has it all
	}
	return logs.Events(s.Report), s
}

// dials is a Dial that notes when the engine is out of reach, and when it is back.
func (in *instance) dials(dial bridge.Dial) bridge.Dial {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx)
		if err != nil && ctx.Err() != nil {
			return conn, err // nobody waits for it any more
		}
		in.mu.Lock()
		was := in.dialErr
		in.dialErr = err
		in.mu.Unlock()
		switch {
		case err != nil && was == nil:
			in.own.Warn("engine can't be reached", "error", err, numbered(eventEngine))
		case err == nil && was != nil:
			in.own.Info("engine is reached again")
		}
		return conn, err
	}
}

// toFile has a service write to a file and the Event Log: nobody sees its stderr. The file is that
// of the command, in the state directory.
func (s *supervised) toFile() io.Closer {
	dir, err := state.Dir()
	if err != nil {
		return nobody{}
	}
	sum := sha256.Sum256([]byte(strings.Join(s.argv, "\x00")))
	file, err := logs.Open(filepath.Join(state.LogDir(dir), "supervise-"+hex.EncodeToString(sum[:8])+".log"))
	if err != nil {
		return nobody{} // a command is worth more than its log
	}
	system, ends := systemLog(install.EventSource, install.HasEventSource())
	s.log = slog.New(slog.NewMultiHandler(slog.NewTextHandler(file, nil), system))
	output := slog.New(slog.NewTextHandler(file, nil))
	tell := func(line string) { output.Info("output", "line", line) }
	said, saidErr := &lines{tell: tell}, &lines{tell: tell} // apart: a line may come in pieces
	s.out, s.errOut = said, saidErr
	return closeAll{said, saidErr, file, ends}
}

// closeAll are things that end in turn.
type closeAll []io.Closer

func (c closeAll) Close() (err error) {
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}

// Close tells the last line, if its end has not come.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.flush()
	}
	return nil
}
