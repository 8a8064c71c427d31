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
func (f *fleet) serveFlags(l links.Link) error {
	f.own, f.log, f.lines = slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler), func(string) io.Writer { return io.Discard }
	if f.o.Debug && f.o.Strict {
		f.told = console.NewTeller(f.o.Stderr)
	}
	l, err := f.choose(l)
	if err == nil && f.ctx.Err() == nil {
		f.hold([]links.Link{l})
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

// choose has WSL tell which distro the link is in. Where nobody is there, what WSL does not tell at once is
// waited for by the distro's crew: who asks finds the link all the same.
func (f *fleet) choose(l links.Link) (_ links.Link, err error) {
	switch {
	case f.o.Strict:
		if f.wsl, err = distro.FindWSL(); err != nil {
			return l, err
		}
		if f.told != nil {
			f.wsl.Stderr = func() io.Writer { return f.told.Lines("distro: ") }
		}
		f.chosen, err = f.wsl.Choose(f.ctx, l.Distro)
		return l.In(f.chosen), err
	case l.Distro == "":
		if _, name, err := choose(f.ctx, ""); err == nil {
			f.chosen = name
		}
		return l.In(f.chosen), nil
	}
	f.chosen = l.Distro
	return l, nil
}

// adopt has the instance of the flags' link be what is to be seen of all, before its distro's tunnel is made.
func (f *fleet) adopt(in *instance) {
	f.log = in.log
	f.lines = func(string) io.Writer {
		if f.told != nil {
			return io.MultiWriter(f.told.Lines("distro: "), in.distroLines())
		}
		return in.distroLines()
	}
}

// prepare finds what the flags' link needs. The engine must answer if somebody is there to start it, else it may come later.
func (f *fleet) prepare(ctx context.Context, l *links.Link, to *finder) (err error) {
	var info engine.Info
	if f.o.Strict {
		if to.found, info, err = findEngine(ctx, l, f.step); err != nil {
			return err
		}
	}
	if f.agent, err = deploy.Own(); err != nil {
		return err
	}
	f.what = Served{Link: *l, Engine: to.found.String(), Info: info, Agent: deploy.Path(f.agent.Hash)}
	return nil
}

// fail ends all because of an error. The first one counts.
func (f *fleet) fail(err error) {
	f.mu.Lock()
	if f.failed == nil {
		f.failed = err
	}
	f.mu.Unlock()
	f.stop()
}

// step tells what is being done.
func (f *fleet) step(what string) { f.show.Event(Event{Step: what}) }

// tell shows an event to who is there. The flags' link is told with its docker context, which is made now.
func (f *fleet) tell(e Event) {
	switch {
	case e.State != tunnel.Serving:
	case !f.flags:
		if e.Served = f.served(e.Link); e.Served == nil {
			return // it is gone again
		}
	case f.o.Strict:
		what := f.what
		for _, c := range f.allCrews() {
			what.Context = c.makeContext(f.ctx, e.Event)
		}
		e.Served = &what
	}
	f.o.Report(e)
}
