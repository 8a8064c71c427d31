package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// serveOutcome is what has come of a bridge, or of all of them.
type serveOutcome struct {
	Works   bool   `json:"works"`
	Host    string `json:"dockerHost,omitempty"`
	Context string `json:"context,omitempty"`
	Unnamed string `json:"contextError,omitempty"` // why there is no context
	Reason  string `json:"reason,omitempty"`       // it does not work
}

// bridgeOutcome is that of one link.
type bridgeOutcome struct {
	Name   string `json:"name"`
	Distro string `json:"distro,omitempty"`
	Socket string `json:"socket,omitempty"`
	serveOutcome
}

// waitAndReport waits until what was started serves, and tells how to use it. The first bridge that does
// not serve is the error.
func (i *Installation) waitAndReport(ctx context.Context, t *ChangePrinter, r changeResult) error {
	err := i.comeUp(ctx)
	r.Form, r.Why = i.Record.Form, i.Record.Why
	text, logon := "", ", and starts at logon ("+formWords(i.Record)+")"
	if off := SwitchedOff(ctx); off != nil {
		logon = ", and does not start at logon: " + off.Error()
		r.Off, r.Hints = off.Text, append(r.Hints, advice.SwitchOnHint(off))
	}
	wrong := func(b *bridgeOutcome, why error) {
		b.Reason = why.Error()
		if err == nil {
			err = why
		} else {
			text += printable.Line(b.Reason) + "\n\n"
		}
	}
	for _, f := range i.bridges {
		b := bridgeOutcome{Name: f.Status.Link.Name, Distro: f.Place.Distro, Socket: f.Place.Socket}
		if why := whyNotServed(f.Status); why != nil {
			wrong(&b, why)
		} else {
			text += b.describeServed(ctx, f.Status, logon)
			logon = ""
		}
		r.Bridges = append(r.Bridges, b)
	}
	for _, name := range i.linksWithoutBridge() {
		b := bridgeOutcome{Name: name}
		wrong(&b, fmt.Errorf("link %s: %w", name, advice.ErrNotUp))
		r.Bridges = append(r.Bridges, b)
	}
	r.serveOutcome = combineOutcomes(r.Bridges)
	if err != nil {
		r.Works, r.Reason = false, err.Error()
	}
	if text != "" {
		text = "\n" + text
	}
	return errors.Join(err, t.printResult(r, text))
}

// combineOutcomes has the first of what only one can have.
func combineOutcomes(all []bridgeOutcome) serveOutcome {
	o := serveOutcome{Works: true}
	for _, b := range all {
		o.Works = o.Works && b.Works
		if o.Host == "" {
			o.Host, o.Context, o.Unnamed = b.Host, b.Context, b.Unnamed
		}
		if o.Reason == "" {
			o.Reason = b.Reason
		}
	}
	return o
}

// comeUp waits until all bridges serve, or say why they do not. The links of a configuration get
// their places one by one; one that another program has is waited for no longer than taskTime.
func (i *Installation) comeUp(ctx context.Context) error {
	began := time.Now()
	err := i.awaitBridges(ctx, comeUpTime, func() bool {
		start := slices.ContainsFunc(i.bridges, func(f control.Found) bool { return daemon.IsStarting(f.Status) })
		return len(i.bridges) > 0 && !start && (time.Since(began) > taskTime || len(i.linksWithoutBridge()) == 0)
	})
	if errors.Is(err, advice.ErrNotUp) && len(i.bridges) > 0 {
		return nil // each says how far it is
	}
	return err
}

// linksWithoutBridge are the links of the configuration that have no bridge.
func (i *Installation) linksWithoutBridge() (names []string) {
	configured := func(f control.Found) bool { return f.Status.Config != "" }
	if !slices.ContainsFunc(i.bridges, configured) {
		return nil
	}
	c, err := links.LoadOwn()
	if err != nil {
		return nil // what was served before is served still
	}
	for _, l := range c.Links {
		if !slices.ContainsFunc(i.bridges, func(f control.Found) bool { return f.Status.Link.Name == l.Name }) {
			names = append(names, l.Name)
		}
	}
	return names
}

// whyNotServed is why a bridge does not serve; nil if it does, or will as soon as its distro runs.
func whyNotServed(s control.Status) error {
	if s.State == string(tunnel.Serving) || s.State == string(tunnel.Stopped) {
		return nil
	}
	why := fmt.Errorf("it runs and does not serve %s yet, but goes on trying: %s", control.PlaceName(s.Link.PlaceOf()), printable.Line(advice.ReasonOf(s)))
	return advice.With(why, s.Hints)
}

// describeServed tells how to use what is served.
func (o *serveOutcome) describeServed(ctx context.Context, s control.Status, logon string) string {
	when := ""
	o.Works = s.EngineError == ""
	if s.State == string(tunnel.Stopped) { // with --keep-alive while-running it may
		when, o.Works = " when that runs", false
	}
	text := fmt.Sprintf("It serves %s%s%s.\n\n", control.PlaceName(s.Link.PlaceOf()), when, logon)
	if s.EngineError != "" {
		o.Reason = s.EngineError
		text += "The engine can't be reached now: " + printable.Line(s.EngineError) + "\n\n"
	}
	if s.Link.Kind == config.Docker && !s.Link.Reverse {
		o.Host = "unix://" + s.Link.Socket
		text += o.makeContext(ctx, s)
	}
	return text
}

// makeContext makes the docker context, as the program that serves does, to tell what came of it; and tells
// how to use what there is. A distro that does not run is not started for that.
func (o *serveOutcome) makeContext(ctx context.Context, s control.Status) string {
	made := daemon.MadeContext{Name: s.Link.Context}
	if made.Name != "" && s.State == string(tunnel.Serving) {
		made = daemon.MadeFor(ctx, s.Link)
	}
	if o.Context = made.Name; made.Err != nil {
		o.Unnamed = made.Err.Error()
	}
	return advice.HowDocker(s.Link.Distro, o.Host, made.Name) + ContextWarning(s.Link.Distro, made)
}

// ContextWarning is what a person is told of a docker context, if it is not as it should be.
func ContextWarning(distro string, made daemon.MadeContext) string {
	switch {
	case made.Err != nil:
		text := "there is no docker context: " + printable.Line(made.Err.Error()) + "\n"
		for _, h := range advice.ContextHints(distro, made.Err) {
			text += console.HintLine(h)
		}
		return text
	case made.Note != "":
		return printable.Line(advice.AstrayWords(made.Name, made.Note)) + "\n"
	}
	return ""
}
