package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// drainEvery is how often it is told how many connections are left, if that has changed.
const drainEvery = time.Second

func drainCommand() *cobra.Command {
	var c control.Chosen
	var timeout time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "End the bridges when their connections have ended",
		Long: `drain ends the bridges of this user as stop does, but gives connections the time
they need, up to --timeout. The sockets go away at once, so that no new connection
comes; those that are there go on, with all that their clients still ask on them. It
tells how many are left, and waits for the end. A client that keeps a connection
open without a use counts until the timeout.

Ctrl-C ends the wait, and the bridge goes on draining; docker-wsl-bridge stop ends it
within 5 s. The exit code is 1 if connections had to be cut.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeout < 0 || timeout > control.MaxDrain {
				return fmt.Errorf("--timeout: %v is not between 0 and %v", timeout, control.MaxDrain)
			}
			d := &draining{timeout: timeout, out: cmd.OutOrStdout(), told: cmd.ErrOrStderr(), json: asJSON}
			if err := d.run(cmd.Context(), c); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	chosenFlags(cmd, &c)
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long connections get at the most, such as 90s or 2h (`time`)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object a line")
	return cmd
}

// draining is one call of drain.
type draining struct {
	timeout   time.Duration
	out, told io.Writer
	json      bool
	last      string // what was told last
}

// drainEvent is what a script is told of a place: how many are left, or that it has ended.
type drainEvent struct {
	Event   string           `json:"event"` // draining or drained
	PID     int              `json:"pid"`
	Distro  string           `json:"distro"`
	Socket  string           `json:"socket"`
	Left    int              `json:"connections"`
	Streams []control.Stream `json:"streams,omitempty"`
	Cut     int64            `json:"cut,omitempty"`
}

func (d *draining) run(ctx context.Context, c control.Chosen) error {
	found, err := control.Carrying(ctx, c)
	if err != nil {
		return err
	}
	if found, err = withTheirOwn(ctx, found); err != nil {
		return err
	}
	if len(found) == 0 {
		if !d.json {
			fmt.Fprintf(d.out, "no bridge runs%s\n", printable.Line(c.Words()))
		}
		return nil
	}
	d.progress(ctx, found) // who is there is asked before: an agent that leaves tells no more
	cuts, err := drainAll(ctx, found, d.timeout, func(ctx context.Context) { d.progress(ctx, found) })
	if ctx.Err() != nil {
		return advice.With(errors.New("interrupted: the bridge goes on draining"), []codes.Hint{advice.DrainsHint()})
	}
	all := int64(0)
	for i, f := range found {
		if cuts[i] < 0 {
			continue
		}
		all += cuts[i]
		if d.json {
			d.line(drainEvent{Event: "drained", PID: f.PID, Distro: f.Place.Distro, Socket: f.Place.Socket, Cut: cuts[i]})
		} else {
			fmt.Fprintf(d.out, "drained the bridge for %s (pid %d)\n", control.PlaceName(f.Place), f.PID)
		}
	}
	if all > 0 {
		err = errors.Join(err, advice.With(fmt.Errorf("%d connections had not ended after %v and were cut", all, d.timeout), nil))
	}
	return err
}

// drainAll drains all at once, and has the progress looked at every second. Where it failed, the connections cut are -1.
func drainAll(ctx context.Context, found []control.Found, timeout time.Duration, progress func(context.Context)) (cuts []int64, failed error) {
	limited, cancel := context.WithTimeout(ctx, timeout+control.StopTime)
	defer cancel()
	cuts = make([]int64, len(found))
	errs := make([]error, len(found))
	var asking sync.WaitGroup
	for i, f := range found {
		asking.Go(func() {
			var err error
			if cuts[i], err = control.Drain(limited, f.At, timeout); err != nil {
				cuts[i] = -1
				errs[i] = &control.StopError{Place: f.Place, PID: f.PID, Err: err}
			}
		})
	}
	ended := make(chan struct{})
	go func() { asking.Wait(); close(ended) }()
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return cuts, errors.Join(errs...)
		case <-tick.C:
			progress(limited)
		}
	}
}

// leftOf tells how many connections are left of bridges that drain, and whose.
func leftOf(ctx context.Context, of []control.Found) (events []drainEvent, err error) {
	now, err := control.Carrying(ctx, control.Chosen{})
	if err != nil {
		return nil, err
	}
	for _, f := range now {
		if f.Err != nil || len(f.Traffic.Links) != 1 || !slices.ContainsFunc(of, func(o control.Found) bool { return o.PID == f.PID && o.Place == f.Place }) {
			continue
		}
		streams := f.Traffic.Links[0].Streams
		events = append(events, drainEvent{Event: "draining", PID: f.PID, Distro: f.Place.Distro, Socket: f.Place.Socket, Left: len(streams), Streams: streams})
	}
	return events, nil
}

// progress tells how many connections are left, if that is new.
func (d *draining) progress(ctx context.Context, of []control.Found) {
	events, err := leftOf(ctx, of)
	if err != nil {
		return
	}
	words := ""
	for _, e := range events {
		words += e.words() + "\n"
	}
	if words == d.last {
		return
	}
	d.last = words
	if !d.json {
		fmt.Fprint(d.told, words)
		return
	}
	for _, e := range events {
		d.line(e)
	}
}

// line tells a script; whoever does not listen any more misses it.
func (d *draining) line(e drainEvent) { _ = json.NewEncoder(d.out).Encode(e) }

// words are for a person: how many are left, and who they are.
func (e drainEvent) words() string {
	kinds := map[string]int{}
	for _, s := range e.Streams {
		name := "unknown"
		if s.Peer != nil {
			name = strings.TrimSpace(s.Peer.Program + " " + s.Peer.Call)
		}
		kinds[name]++
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		part := name
		if n := kinds[name]; n > 1 {
			part = fmt.Sprintf("%d x %s", n, name)
		}
		parts = append(parts, part)
	}
	who := ""
	if len(parts) > 0 {
		who = ": " + strings.Join(parts, ", ")
	}
	return printable.Escape(fmt.Sprintf("%s in %s: %d connections left%s", e.Socket, e.Distro, e.Left, who))
}
