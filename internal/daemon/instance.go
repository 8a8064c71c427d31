package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// askingTime is what the agent and the engine get to answer a status.
const askingTime = time.Second

// instance is this `up` as the user's other programs see it: its control endpoint and its log.
type instance struct {
	link    links.Link
	debug   bool
	log     *slog.Logger // of the halves: to the file, and with --debug to the screen
	own     *slog.Logger // to the file alone: a person is told by the reporter
	file    io.WriteCloser
	system  io.Closer // the Event Log, for what nobody is there to see
	control *control.Instance
	of      whole

	mu        sync.Mutex
	status    control.Status // but for what is asked anew each time
	news      chan struct{}  // closed when the status changes; nil: nobody waits for that
	err       error          // behind the status' reason
	linkState tunnel.State   // of the link alone: Serving, Failing, or none yet
	daemon    *tunnel.Tunnel // nil until there is one
	dial      bridge.Dial    // to the engine
	engine    func() string  // where it is; empty while it was not found
	drains    bool           // a drain has begun
	cut       int64          // connections, until then

	dialErr error // of the last connection to it; nil: there was none, or it is reached
}

// partner is who is told of an instance beside its log.
type partner struct {
	stderr io.Writer
	alone  bool                 // nobody is there: the Event Log has it
	told   *console.AsyncWriter // takes the log, too; nil: nobody does
}

// whole is what an instance is a part of.
type whole struct {
	version   string
	installed func(program string) bool

	stop   func()
	drain  func(time.Duration)
	reload func(context.Context) (control.Reloaded, error) // nil: there is no configuration
	config string                                          // empty: there is none
	disk   disk
}

// openInstance becomes the one for the place.
func openInstance(ctx context.Context, l links.Link, debug bool, to partner, of whole) (*instance, error) {
	dir, err := state.Dir()
	if err != nil {
		return nil, err
	}
	place := control.Place{Distro: l.Distro, Socket: l.Socket}
	now := time.Now()
	exe, _ := os.Executable() // without it nobody takes this for the installed one
	in := &instance{link: l, debug: debug, of: of, status: control.Status{
		Version: of.version, PID: os.Getpid(), Program: exe, Since: now, State: string(tunnel.Starting), StateSince: now,
		Link: control.Link{
			Name: l.Name, Kind: l.Kind, Distro: l.Distro, Socket: l.Socket, Uids: l.Uids, Context: l.Context, Reverse: l.IsReverse(),
		},
		Log:    state.LogFile(dir, place.Distro, place.ID()),
		Config: of.config,
	}}
	in.control, err = of.disk.open(ctx, state.RunDir(dir), place, control.Handler{
		Status: in.currentStatus, Settled: in.settledStatus, Traffic: in.ownTraffic, Stop: in.endOwner, Drain: of.drain, Drained: in.countCutConnections, Reload: of.reload,
	})
	if err != nil {
		return nil, advice.With(err, advice.OpenHints(err, state.RunDir(dir), of.installed))
	}
	in.openLog(to)
	in.own.Info("bridge starts", "version", of.version, "pid", os.Getpid(), "distro", l.Distro, "socket", l.Socket)
	return in, nil
}

// closeWithError is told how it went.
func (in *instance) closeWithError(err error) error {
	if err == nil {
		in.own.Info("bridge ends")
	} else {
		in.own.Error("bridge ends", "error", err, logs.WithNumber(logs.EventFailed))
	}
	if err := in.of.disk.hide(in.control); err != nil {
		in.own.Warn("a file stays until the next bridge or status", "error", err)
	}
	// The endpoint goes last: whoever waits for its end may start the next one, with the same log.
	_ = in.file.Close() // a bridge that has ended well has, whatever becomes of its log
	_ = in.system.Close()
	return in.control.Close()
}

// setServingTunnel says what is served, once that is known.
func (in *instance) setServingTunnel(d *tunnel.Tunnel, dial bridge.Dial, engine func() string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.daemon, in.dial, in.engine = d, dial, engine
	in.status.Build = d.Agent.Hash
	if !in.link.Shared {
		in.status.Link.Distro = d.Distro // as it is spelt by WSL
	}
}

// handleTunnelEvent notes what the daemon is at.
func (in *instance) handleTunnelEvent(e tunnel.Event) {
	in.noteTunnelEvent(e)
	if e.State == tunnel.Starting || e.State == tunnel.Serving { // before the first thing is written there
		if err := in.of.disk.record(state.Made{Distro: e.Distro, Socket: in.link.AgentSocket()}); err != nil {
			in.own.Warn("uninstall will not know of this distro", "error", err)
		}
	}
	attrs, level := []any{"state", string(e.State)}, slog.LevelInfo
	switch e.State {
	case tunnel.Serving:
		attrs = append(attrs, "socket", in.link.Socket, "mode", e.Where.Mode, "owner", e.Where.Owner, "agentPlaced", e.Placed)
	case tunnel.Lost, tunnel.Failing, tunnel.Gone:
		attrs = append(attrs, "error", e.Err, "pause", e.Pause)
	case tunnel.Warned:
		attrs, level = append(attrs, "error", e.Err), slog.LevelWarn
	case tunnel.Draining:
		attrs = append(attrs, "connections", e.Streams, "within", e.Within)
	}
	if id, is := eventOf(e.State); is {
		attrs, level = append(attrs, logs.WithNumber(id)), logs.EventLevels[id]
	}
	in.own.Log(context.Background(), level, "link "+in.link.Name, attrs...)
}

func (in *instance) noteTunnelEvent(e tunnel.Event) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := &in.status
	switch e.State {
	case tunnel.Woken:
		s.Woken = time.Now()
		return
	case tunnel.Warned:
		return
	}
	if in.news != nil {
		close(in.news)
		in.news = nil
	}
	s.State, s.StateSince, s.Next = string(e.State), time.Now(), time.Time{}
	if in.link.Shared {
		s.Link.Host = e.Distro
	}
	switch e.State {
	case tunnel.Thawed:
		s.State = string(cmp.Or(in.linkState, tunnel.Starting))
	case tunnel.Serving:
		in.linkState = e.State
		s.Link.Mode, s.Link.Owner, s.Reason, in.err = e.Where.Mode, e.Where.Owner, "", nil
	case tunnel.Lost, tunnel.Failing, tunnel.Gone:
		if e.State == tunnel.Failing {
			in.linkState = e.State
		}
		s.Reason, in.err = e.Err.Error(), e.Err
		if e.Pause > 0 {
			s.Next = s.StateSince.Add(e.Pause)
		}
	}
}

// currentStatus is how it is: the agent and the engine are asked.
func (in *instance) currentStatus(ctx context.Context) control.Status {
	in.mu.Lock()
	s, err, d, dial, place := in.status, in.err, in.daemon, in.dial, in.engine
	in.mu.Unlock()
	s.Uptime = time.Since(s.Since).Seconds()
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	var engineErr error
	if d != nil {
		s.Streams = d.StreamsOf(in.link.Name)
		var asking sync.WaitGroup
		asking.Go(func() {
			if trip, err := d.Ping(ctx); err == nil {
				s.RoundTrip = max(trip, time.Microsecond).Seconds() // Windows' clock may not have moved
			}
		})
		s.Engine, engineErr = in.reachTarget(ctx, d, dial)
		asking.Wait()
		if in.link.IsReverse() && s.RoundTrip == 0 {
			s.Engine, engineErr = engine.Info{}, nil // only the agent could tell
		}
		s.Link.Engine = place() // it may have been found just now
	}
	if engineErr != nil {
		s.EngineError = engineErr.Error()
	}
	s.Works = s.State == string(tunnel.Serving) && s.RoundTrip > 0 && engineErr == nil
	if !s.Works {
		if s.State != string(tunnel.Serving) && !advice.Pinged(s.Link) {
			engineErr = nil // which is no engine's; the state comes first
		}
		s.Hints = advice.StatusHints(s, errors.Join(err, engineErr))
	}
	return s
}

// IsStarting tells a bridge that does not serve yet, and does not know why.
func IsStarting(s control.Status) bool {
	return s.State != string(tunnel.Serving) && s.State != string(tunnel.Stopped) && s.Reason == ""
}

// settledStatus is how it is, as soon as it serves or has a reason why not.
func (in *instance) settledStatus(ctx context.Context) control.Status {
	for {
		in.mu.Lock()
		if in.news == nil {
			in.news = make(chan struct{})
		}
		s, news := in.status, in.news
		in.mu.Unlock()
		s.Uptime = time.Since(s.Since).Seconds()
		if !IsStarting(s) {
			return s
		}
		select {
		case <-news:
		case <-ctx.Done():
			return s
		}
	}
}

// reachTarget asks what the link leads to, whether it can be reached. Only a Docker engine says who it is.
func (in *instance) reachTarget(ctx context.Context, d *tunnel.Tunnel, dial bridge.Dial) (engine.Info, error) {
	docker := in.link.Kind == config.Docker
	switch {
	case in.link.IsReverse() && docker:
		return probeReverse(ctx, dial)
	case in.link.IsReverse():
		return engine.Info{}, d.TryTarget(ctx, in.link.Name)
	case docker && !in.link.Engine.IsCommand():
		return engine.Probe(ctx, dial)
	}
	return engine.Info{}, in.isTargetThere(ctx)
}

// isTargetThere tells whether a connection would find something, without one where that would start a
// command or take a pipe's place: then the last client's tells what can't be seen so.
func (in *instance) isTargetThere(ctx context.Context) error {
	certain, err := in.link.Engine.CheckExists(ctx)
	if err != nil || certain {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if errors.Is(in.dialErr, fs.ErrNotExist) || errors.Is(in.dialErr, endpoint.ErrBusy) {
		return nil // it was so then
	}
	return in.dialErr
}

// openLog opens the file. Without one, on a full disk, say, it goes on: a bridge is worth more
// than its log.
func (in *instance) openLog(to partner) {
	level := slog.LevelInfo
	if in.debug {
		level = slog.LevelDebug
	}
	file, err := in.of.disk.openLog(in.status.Log)
	if err != nil {
		fmt.Fprintf(to.stderr, "this bridge has no log: %v\n", err)
		in.mu.Lock()
		in.status.Log = ""
		in.mu.Unlock()
		in.file = logs.None{}
	} else {
		in.file = file
	}
	handler := slog.NewTextHandler(in.file, &slog.HandlerOptions{Level: level})
	var system slog.Handler
	system, in.system = logs.SystemHandler(install.EventSource, to.alone && install.HasEventSource())
	in.own = slog.New(slog.NewMultiHandler(handler, system))
	in.log = slog.New(slog.NewMultiHandler(handler, to.told.LogHandler()))
}

// distroLines takes what the distro says on stderr.
func (in *instance) distroLines() io.Writer {
	return &console.LineWriter{Tell: func(line string) { in.own.Debug("distro", "said", line) }}
}

// commandLines takes what a command of this link's says on stderr.
func (in *instance) commandLines() io.Writer {
	return &console.LineWriter{Tell: func(line string) { in.own.Info("command of link "+in.link.Name, "said", line) }}
}
