package daemon

import (
	"context"
	"io"
	"log/slog"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// serveFlags serves the one link that flags say. What is to be seen of it is the link's: its endpoint, its log.
func (f *daemon) serveFlags(l links.Link) error {
	f.own, f.log, f.lines = slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler), func(string) io.Writer { return io.Discard }
	if f.o.Debug && f.o.Strict {
		f.told = console.NewAsyncWriter(f.o.Stderr)
	}
	l, err := f.chooseDistro(l)
	if err == nil && f.ctx.Err() == nil {
		f.holdLinks([]links.Link{l})
		f.show.Close()
		err = f.failed
	}
	if f.told != nil {
		f.told.Close()
	}
	if err != nil {
		return &Error{f.chosen, err}
	}
	return nil
}

// chooseDistro has WSL tell which distro the link is in. Where nobody is there, what WSL does not tell at once is
// waited for by the distro's server: who asks finds the link all the same.
func (f *daemon) chooseDistro(l links.Link) (_ links.Link, err error) {
	switch {
	case f.o.Strict:
		if f.wsl, err = distro.FindWSL(); err != nil {
			return l, err
		}
		if f.told != nil {
			f.wsl.Stderr = func() io.Writer { return f.told.LinesFrom("distro: ") }
		}
		f.chosen, err = f.wsl.ChooseDistro(f.ctx, l.Distro)
		return l.InDistro(f.chosen), err
	case l.Distro == "":
		if _, name, err := chooseDistroOnce(f.ctx, ""); err == nil {
			f.chosen = name
		}
		return l.InDistro(f.chosen), nil
	}
	f.chosen = l.Distro
	return l, nil
}

// adoptInstance has the instance of the flags' link be what is to be seen of all, before its distro's tunnel is made.
func (f *daemon) adoptInstance(in *instance) {
	f.log = in.log
	f.lines = func(string) io.Writer {
		if f.told != nil {
			return io.MultiWriter(f.told.LinesFrom("distro: "), in.distroLines())
		}
		return in.distroLines()
	}
}

// prepareLink finds what the flags' link needs. The engine must answer if somebody is there to start it, else it may come later.
func (f *daemon) prepareLink(ctx context.Context, l *links.Link, to *engineResolver) (err error) {
	var info engine.Info
	if f.o.Strict {
		if to.found, info, err = findEngine(ctx, l, f.reportStep); err != nil {
			return err
		}
	}
	if f.agent, err = deploy.Own(); err != nil {
		return err
	}
	f.what = Served{Link: *l, Engine: to.found.String(), Info: info, Agent: deploy.AgentPath(f.agent.Hash)}
	return nil
}

// failWithError ends all because of an error. The first one counts.
func (f *daemon) failWithError(err error) {
	f.mu.Lock()
	if f.failed == nil {
		f.failed = err
	}
	f.mu.Unlock()
	f.stop()
}

// reportStep tells what is being done.
func (f *daemon) reportStep(what string) { f.show.ShowEvent(Event{Step: what}) }

// reportEvent shows an event to who is there. The flags' link is told with its docker context, which is made now.
func (f *daemon) reportEvent(e Event) {
	switch {
	case e.State != tunnel.Serving:
	case !f.flags:
		if e.Served = f.servedForEvent(e.Link); e.Served == nil {
			return // it is gone again
		}
	case f.o.Strict:
		what := f.what
		for _, c := range f.allServers() {
			what.Context = c.makeContext(f.ctx, e.Event)
		}
		e.Served = &what
	}
	f.o.Report(e)
}
