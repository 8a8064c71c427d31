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

// daemon serves the links of a configuration: those of each distro over a carrier of their own.
type daemon struct {
	o       Options
	since   time.Time
	agent   deploy.Binary
	told    *console.AsyncWriter
	show    *console.EventQueue[Event]
	disk    disk
	logFile io.WriteCloser
	system  io.Closer    // as an instance's
	log     *slog.Logger // as an instance's: of what is no single link's
	own     *slog.Logger
	ctx     context.Context // ends when it is to end
	stop    context.CancelFunc
	running sync.WaitGroup // servers
	cut     atomic.Int64   // connections, by a drain

	flags bool                   // one link is served, which flags have said
	wsl   distro.WSL             // of a strict start, which has asked it
	what  Served                 // of flags: what is served
	lines func(string) io.Writer // takes what a distro says on stderr

	ready chan struct{} // closed when it is set up
	turns chan struct{} // holds one token while what is served changes: see applyOneChange

	// mu guards what follows and nothing is waited for with it: a drain that the end of a link waits
	// for needs it, and so does every status.
	mu         sync.Mutex
	links      []links.Link
	named      string                   // the default distro; empty while it is not known
	servers    map[string]*distroServer // by distro
	placements map[string]string        // by link of all distros: the distro that has taken it over

	chosen string // of flags: the distro
	failed error  // of flags: what ended it

	roaming failover
}

func newDaemon(o Options) *daemon {
	return &daemon{
		o: o, flags: o.File == "", disk: userDisk{}, since: time.Now(), ready: make(chan struct{}), turns: make(chan struct{}, 1),
		servers: map[string]*distroServer{}, placements: map[string]string{}, roaming: newFailover(),
	}
}

func (f *daemon) serveLinks(ctx context.Context, list []links.Link) error {
	f.ctx, f.stop = context.WithCancel(ctx)
	defer f.stop()
	context.AfterFunc(ctx, f.endDrain) // Ctrl-C does not wait as long as a drain
	if f.flags {
		return f.serveFlags(list[0])
	}
	return f.serveFiles(list)
}

// serveFiles serves what the files want. It has an endpoint and a log of its own.
func (f *daemon) serveFiles(list []links.Link) error {
	dir, err := state.Dir()
	if err != nil {
		return err
	}
	own, err := control.OpenConfig(f.ctx, state.RunDir(dir), f.o.File, control.Handler{
		Status: f.processStatus, Traffic: f.allTraffic, Stop: f.endAllLinks, Drain: f.drainAllLinks, Drained: f.cut.Load, Reload: f.reloadFiles,
	})
	if err != nil {
		return advice.With(err, advice.OpenHints(err, state.RunDir(dir), f.o.Installed))
	}
	f.openLog()
	f.own.Info("bridge starts", "version", f.o.Version, "pid", os.Getpid(), "configuration", f.o.File, "links", len(list))
	if f.o.Ignored != nil {
		f.own.Warn("the machine's configuration does not count", "error", f.o.Ignored)
	}
	f.holdLinks(list)
	f.own.Info("bridge ends")
	f.closeScreens()
	// The endpoint goes last, as an instance's.
	f.closeLog()
	return own.Close()
}

// holdLinks serves links until f.ctx ends.
func (f *daemon) holdLinks(list []links.Link) {
	f.show = console.NewEventQueue(f.reportEvent)
	f.arrangeWantedLinks(list) // nobody else changes anything before it is ready
	f.running.Go(f.failoverLoop)
	close(f.ready)
	f.holdUntilEnd()
	f.turns <- struct{}{} // a change that is under way comes to its end; none follows
	f.running.Wait()
}

func (f *daemon) closeScreens() {
	f.show.Close()
	if f.told != nil {
		f.told.Close()
	}
}

// endMisconfigured is the end of a bridge that nobody is there to see.
func (f *daemon) endMisconfigured(wrong error) {
	f.own.Error("the configuration is wrong", "error", wrong, logs.WithNumber(logs.EventConfig))
}

// holdUntilEnd passes it on to all servers when the machine has woken up.
func (f *daemon) holdUntilEnd() {
	for {
		select {
		case <-f.o.Wake:
			for _, c := range f.allServers() {
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
func (f *daemon) openLog() {
	level := slog.LevelInfo
	if f.o.Debug {
		level = slog.LevelDebug
		f.told = console.NewAsyncWriter(f.o.Stderr)
	}
	f.lines = func(distro string) io.Writer {
		return &console.LineWriter{Tell: func(line string) { f.log.Debug("distro "+distro, "said", line) }}
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
	f.logToFile(handler, system)
}

// logToFile has a file's handler and the Event Log's take what happens.
func (f *daemon) logToFile(file, system slog.Handler) {
	f.own = slog.New(slog.NewMultiHandler(file, system))
	f.log = slog.New(slog.NewMultiHandler(file, f.told.LogHandler()))
}

// closeLog ends it; a bridge that has ended well has, whatever becomes of its log.
func (f *daemon) closeLog() {
	_ = f.logFile.Close()
	_ = f.system.Close()
}

// configLog stands where a link's log has its distro.
const configLog = "(configuration)"

// processStatus is that of the process; each link has its own.
func (f *daemon) processStatus(context.Context) control.Status {
	exe, _ := os.Executable()
	return control.Status{
		Version: f.o.Version, PID: os.Getpid(), Program: exe, Since: f.since, Uptime: time.Since(f.since).Seconds(),
		State: string(tunnel.Serving), StateSince: f.since, Config: f.o.File,
	}
}

// distroOf is the distro of a link, empty while the default one has no name.
func (f *daemon) distroOf(l *links.Link) string {
	switch l.Distro {
	case "":
		return f.named
	case config.All:
		return f.placementOf(l)
	}
	return l.Distro
}

// servedForEvent is what is told of a link of the files when it is served; nil if it is gone again.
func (f *daemon) servedForEvent(link string) *Served {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := links.FindNamed(f.links, link)
	if l == nil {
		return nil
	}
	return &Served{Link: *l, Engine: printable.Line(l.To), Agent: deploy.AgentPath(f.agent.Hash)}
}

// reportBrokenLink tells of a link that has no place of its own.
func (f *daemon) reportBrokenLink(link, distro string, err error, pause time.Duration) {
	f.own.Warn("link "+link, "distro", distro, "error", err, "pause", pause, logs.WithNumber(logs.EventLinkFailed))
	f.show.ShowEvent(Event{Event: tunnel.Event{State: tunnel.Failing, Link: link, Distro: distro, Err: err, Pause: pause}})
}

// ownerOfLinks is what each link's instance is a part of.
func (f *daemon) ownerOfLinks() whole {
	w := whole{stop: f.endAllLinks, drain: f.drainAllLinks, config: f.o.File, version: f.o.Version, installed: f.o.Installed, disk: f.disk}
	if !f.flags {
		w.reload = f.reloadFiles
	}
	return w
}

// logPartner is who is told of a link's log, and whether somebody is there.
func (f *daemon) logPartner() partner {
	if f.flags {
		return partner{f.o.Stderr, f.o.Alone, f.told}
	}
	return partner{io.Discard, f.o.Alone, nil}
}
