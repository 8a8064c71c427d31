package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// attended is up: somebody is there to be told.
func attended(ctx context.Context, c *links.Set, wrong error, o *options, r *reporter) error {
	if wrong != nil {
		return configFailed(wrong, advice.ConfigCheckHint())
	}
	f := newFleet(r, o.debug)
	f.wake, f.first = o.wake, c.FromFlags()
	if !c.FromFlags() {
		r.find = f.find
	}
	err := f.run(ctx, c)
	switch {
	case err == nil:
		return r.stopped()
	case f.first && errors.Is(err, context.Canceled):
		return &failure{error: errors.New("interrupted before the socket was served")}
	}
	return failed(err)
}

// unattended is run. A wrong file is in the log: nobody else is there to be told.
func unattended(ctx context.Context, c *links.Set, wrong error, o *options) error {
	f := newFleet(quiet(), o.debug)
	f.wake = o.wake
	if wrong != nil {
		f.openLog()
		f.misconfigured(wrong)
		f.closeLog()
		return advice.With(wrong, []codes.Hint{advice.ConfigCheckHint()})
	}
	return f.run(ctx, c)
}

// failed is an error of what ran.
func failed(err error) error {
	var known *failure
	if errors.As(err, &known) {
		return err
	}
	return &failure{error: err}
}

// fleet serves the links of a configuration: those of each distro over a carrier of their own.
type fleet struct {
	r       *reporter
	debug   bool
	file    string // the user's
	since   time.Time
	agent   deploy.Binary
	told    *console.Teller
	show    *console.Screen[tunnel.Event]
	logFile io.WriteCloser
	system  io.Closer    // as an instance's
	log     *slog.Logger // as an instance's: of what is no single link's
	own     *slog.Logger
	ctx     context.Context // ends when it is to end
	stop    context.CancelFunc
	running sync.WaitGroup // crews
	cut     atomic.Int64   // connections, by a drain

	flags bool                   // one link is served, which flags have said
	first bool                   // what flags ask for and can't be had at the start is an error, for who is there
	wsl   distro.WSL             // of first, which has asked it
	lines func(string) io.Writer // takes what a distro says on stderr

	wake  <-chan struct{} // the machine has just woken up
	ready chan struct{}   // closed when it is set up
	turns chan struct{}   // holds one token while what is served changes: see changing

	// mu guards what follows and nothing is waited for with it: a drain that the end of a link waits
	// for needs it, and so does every status.
	mu    sync.Mutex
	links []links.Link
	named string            // the default distro; empty while it is not known
	crews map[string]*crew  // by distro
	seats map[string]string // by link of all distros: the distro that has taken it over

	chosen string // of flags: the distro
	failed error  // of flags: what ended it

	roaming roaming
}

func newFleet(r *reporter, debug bool) *fleet {
	return &fleet{
		r: r, debug: debug, since: time.Now(), ready: make(chan struct{}), turns: make(chan struct{}, 1),
		crews: map[string]*crew{}, seats: map[string]string{}, roaming: newRoaming(),
	}
}

// run serves until ctx ends or it is asked to stop.
func (f *fleet) run(ctx context.Context, c *links.Set) (err error) {
	if !c.FromFlags() { // else it is looked for when somebody can be told
		if f.agent, err = deploy.Own(); err != nil {
			return err
		}
	}
	return f.serve(ctx, c)
}

func (f *fleet) serve(ctx context.Context, c *links.Set) error {
	f.ctx, f.stop = context.WithCancel(ctx)
	defer f.stop()
	context.AfterFunc(ctx, f.hurry) // Ctrl-C does not wait as long as a drain
	if c.FromFlags() {
		return f.serveFlags(c)
	}
	return f.serveFiles(c)
}

// serveFiles serves what the files want. It has an endpoint and a log of its own.
func (f *fleet) serveFiles(c *links.Set) (err error) {
	if f.file, err = userConfig(); err != nil {
		return err
	}
	dir, err := state.Dir()
	if err != nil {
		return err
	}
	own, err := control.OpenConfig(f.ctx, state.RunDir(dir), f.file, control.Handler{
		Status: f.status, Traffic: f.traffic, Stop: f.end, Drain: f.drain, Drained: f.cut.Load, Reload: f.reload,
	})
	if err != nil {
		return advice.With(err, advice.OpenHints(err, state.RunDir(dir), isInstalled))
	}
	f.openLog()
	f.own.Info("bridge starts", "version", version, "pid", os.Getpid(), "configuration", f.file, "links", len(c.Links))
	if c.Files.Ignored != nil {
		f.own.Warn("the machine's configuration does not count", "error", c.Files.Ignored)
	}
	f.hold(c.Links)
	f.own.Info("bridge ends")
	f.closeScreens()
	// The endpoint goes last, as an instance's.
	f.closeLog()
	return own.Close()
}

// hold serves links until f.ctx ends.
func (f *fleet) hold(list []links.Link) {
	f.show = console.NewScreen(f.tell)
	f.arrange(list) // nobody else changes anything before it is ready
	f.running.Go(f.roam)
	close(f.ready)
	f.untilEnd()
	f.turns <- struct{}{} // a change that is under way comes to its end; none follows
	f.running.Wait()
}

func (f *fleet) closeScreens() {
	f.show.Close()
	if f.told != nil {
		f.told.Close()
	}
}

// misconfigured is the end of a bridge that nobody is there to see.
func (f *fleet) misconfigured(wrong error) {
	f.own.Error("the configuration is wrong", "error", wrong, logs.Numbered(logs.EventConfig))
}

// untilEnd passes it on to all crews when the machine has woken up.
func (f *fleet) untilEnd() {
	for {
		select {
		case <-f.wake:
			for _, c := range f.allCrews() {
				select {
				case c.wake <- struct{}{}:
				default: // it looks already
				}
			}
		case <-f.ctx.Done():
			return
		}
	}
}

// openLog opens that of what is no single link's; as an instance's it may be missing.
func (f *fleet) openLog() {
	level := slog.LevelInfo
	if f.debug {
		level = slog.LevelDebug
		f.told = console.NewTeller(f.r.stderr)
	}
	f.lines = func(distro string) io.Writer {
		return &console.Lines{Tell: func(line string) { f.log.Debug("distro "+distro, "said", line) }}
	}
	f.logFile = logs.None{}
	if dir, err := state.Dir(); err == nil {
		if file, err := logs.Open(state.LogFile(dir, configLog, control.Place{Distro: configLog}.ID())); err == nil {
			f.logFile = file
		}
	}
	handler := slog.NewTextHandler(f.logFile, &slog.HandlerOptions{Level: level})
	system, ends := logs.SystemHandler(install.EventSource, f.r.alone && install.HasEventSource())
	f.system = ends
	f.logTo(handler, system)
}

// logTo has a file's handler and the Event Log's take what happens.
func (f *fleet) logTo(file, system slog.Handler) {
	f.own = slog.New(slog.NewMultiHandler(file, system))
	f.log = slog.New(slog.NewMultiHandler(file, f.told.Log()))
}

// closeLog ends it; a bridge that has ended well has, whatever becomes of its log.
func (f *fleet) closeLog() {
	_ = f.logFile.Close()
	_ = f.system.Close()
}

// configLog stands where a link's log has its distro.
const configLog = "(configuration)"

// status is that of the process; each link has its own.
func (f *fleet) status(context.Context) control.Status {
	exe, _ := os.Executable()
	return control.Status{
		Version: version, PID: os.Getpid(), Program: exe, Since: f.since, Uptime: time.Since(f.since).Seconds(),
		State: string(tunnel.Serving), StateSince: f.since, Config: f.file,
	}
}

// distroOf is the distro of a link, empty while the default one has no name.
func (f *fleet) distroOf(l *links.Link) string {
	switch l.Distro {
	case "":
		return f.named
	case config.All:
		return f.seatOf(l)
	}
	return l.Distro
}

// find is what is told of a link when it is served.
func (f *fleet) find(link string) (ready, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := links.Named(f.links, link)
	if l == nil {
		return ready{}, false
	}
	v := ready{Event: string(tunnel.Serving), Link: link, Kind: l.Kind, Engine: printable.Line(l.To), Agent: deploy.Path(f.agent.Hash)}
	v.Socket.Socket = l.Socket
	if l.Shared {
		v.Socket.Distro = l.Distro
	}
	switch {
	case l.Reverse() && l.Kind == config.Docker:
		v.Host = l.Socket
	case l.Kind == config.Docker:
		v.Host = "unix://" + l.Socket
	}
	return v, true
}

// broken tells of a link that has no place of its own.
func (f *fleet) broken(link, distro string, err error, pause time.Duration) {
	f.own.Warn("link "+link, "distro", distro, "error", err, "pause", pause, logs.Numbered(logs.EventLinkFailed))
	f.show.Event(tunnel.Event{State: tunnel.Failing, Link: link, Distro: distro, Err: err, Pause: pause})
}

// whole is what each link's instance is a part of.
func (f *fleet) whole() whole {
	w := whole{stop: f.end, drain: f.drain, config: f.file}
	if f.file != "" {
		w.reload = f.reload
	}
	return w
}

// partner is who is told of a link's log, and whether somebody is there.
func (f *fleet) partner() partner {
	if f.flags {
		return partner{f.r.stderr, f.r.alone, f.told}
	}
	return partner{io.Discard, f.r.alone, nil}
}
