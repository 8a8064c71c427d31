package daemon

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
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

// fleet serves the links of a configuration: those of each distro over a carrier of their own.
type fleet struct {
	o       Options
	since   time.Time
	agent   deploy.Binary
	told    *console.Teller
	show    *console.Screen[Event]
	disk    disk
	logFile io.WriteCloser
	system  io.Closer    // as an instance's
	log     *slog.Logger // as an instance's: of what is no single link's
	own     *slog.Logger
	ctx     context.Context // ends when it is to end
	stop    context.CancelFunc
	running sync.WaitGroup // crews
	cut     atomic.Int64   // connections, by a drain

	flags bool                   // one link is served, which flags have said
	wsl   distro.WSL             // of a strict start, which has asked it
	what  Served                 // of flags: what is served
	lines func(string) io.Writer // takes what a distro says on stderr

	ready chan struct{} // closed when it is set up
	turns chan struct{} // holds one token while what is served changes: see changing

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

func newFleet(o Options) *fleet {
	return &fleet{
		o: o, flags: o.File == "", disk: userDisk{}, since: time.Now(), ready: make(chan struct{}), turns: make(chan struct{}, 1),
		crews: map[string]*crew{}, seats: map[string]string{}, roaming: newRoaming(),
	}
}

func (f *fleet) serve(ctx context.Context, list []links.Link) error {
	f.ctx, f.stop = context.WithCancel(ctx)
	defer f.stop()
	context.AfterFunc(ctx, f.hurry) // Ctrl-C does not wait as long as a drain
	if f.flags {
		return f.serveFlags(list[0])
	}
	return f.serveFiles(list)
}

// serveFiles serves what the files want. It has an endpoint and a log of its own.
func (f *fleet) serveFiles(list []links.Link) error {
	dir, err := state.Dir()
	if err != nil {
		return err
	}
	own, err := control.OpenConfig(f.ctx, state.RunDir(dir), f.o.File, control.Handler{
		Status: f.status, Traffic: f.traffic, Stop: f.end, Drain: f.drain, Drained: f.cut.Load, Reload: f.reload,
	})
	if err != nil {
		return advice.With(err, advice.OpenHints(err, state.RunDir(dir), f.o.Installed))
	}
	f.openLog()
	f.own.Info("bridge starts", "version", f.o.Version, "pid", os.Getpid(), "configuration", f.o.File, "links", len(list))
	if f.o.Ignored != nil {
		f.own.Warn("the machine's configuration does not count", "error", f.o.Ignored)
	}
	f.hold(list)
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
		case <-f.o.Wake:
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
	if f.o.Debug {
		level = slog.LevelDebug
		f.told = console.NewTeller(f.o.Stderr)
	}
	f.lines = func(distro string) io.Writer {
		return &console.Lines{Tell: func(line string) { f.log.Debug("distro "+distro, "said", line) }}
	}
	f.logFile = logs.None{}
	if dir, err := state.Dir(); err == nil {
		if file, err := f.disk.openLog(state.LogFile(dir, configLog, control.Place{Distro: configLog}.ID())); err == nil {
			f.logFile = file
		}
	}
	handler := slog.NewTextHandler(f.logFile, &slog.HandlerOptions{Level: level})
	system, ends := logs.SystemHandler(install.EventSource, f.o.Alone && install.HasEventSource())
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
		Version: f.o.Version, PID: os.Getpid(), Program: exe, Since: f.since, Uptime: time.Since(f.since).Seconds(),
		State: string(tunnel.Serving), StateSince: f.since, Config: f.o.File,
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

// served is what is told of a link of the files when it is served; nil if it is gone again.
func (f *fleet) served(link string) *Served {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := links.Named(f.links, link)
	if l == nil {
		return nil
	}
	return &Served{Link: *l, Engine: printable.Line(l.To), Agent: deploy.Path(f.agent.Hash)}
}

// broken tells of a link that has no place of its own.
func (f *fleet) broken(link, distro string, err error, pause time.Duration) {
	f.own.Warn("link "+link, "distro", distro, "error", err, "pause", pause, logs.Numbered(logs.EventLinkFailed))
	f.show.Event(Event{Event: tunnel.Event{State: tunnel.Failing, Link: link, Distro: distro, Err: err, Pause: pause}})
}

// whole is what each link's instance is a part of.
func (f *fleet) whole() whole {
	w := whole{stop: f.end, drain: f.drain, config: f.o.File, version: f.o.Version, installed: f.o.Installed, disk: f.disk}
	if !f.flags {
		w.reload = f.reload
	}
	return w
}

// partner is who is told of a link's log, and whether somebody is there.
func (f *fleet) partner() partner {
	if f.flags {
		return partner{f.o.Stderr, f.o.Alone, f.told}
	}
	return partner{io.Discard, f.o.Alone, nil}
}
