package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// drainEvery is how often it is told how many connections are left, if that has changed.
const drainEvery = time.Second

// DrainProgress is what a script is told of a place: how many are left, or that it has ended.
type DrainProgress struct {
	Event   string   `json:"event"` // draining or drained
	PID     int      `json:"pid"`
	Distro  string   `json:"distro"`
	Socket  string   `json:"socket"`
	Left    int      `json:"connections"`
	Streams []Stream `json:"streams,omitempty"`
	Cut     int64    `json:"cut,omitempty"`
}

// DrainAllInstances drains all at once, and has the progress looked at every second. Where it failed, the connections cut are -1.
func DrainAllInstances(ctx context.Context, found []Found, timeout time.Duration, progress func(context.Context)) (cuts []int64, failed error) {
	limited, cancel := context.WithTimeout(ctx, timeout+StopTime)
	defer cancel()
	cuts = make([]int64, len(found))
	errs := make([]error, len(found))
	var asking sync.WaitGroup
	for i, f := range found {
		asking.Go(func() {
			var err error
			if cuts[i], err = DrainInstance(limited, f.At, timeout); err != nil {
				cuts[i] = -1
				errs[i] = &StopError{Place: f.Place, PID: f.PID, Err: err}
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

// ConnectionsLeft tells how many connections are left of bridges that drain, and whose.
func ConnectionsLeft(ctx context.Context, of []Found) (events []DrainProgress, err error) {
	now, err := CarryingBridges(ctx, Chosen{})
	if err != nil {
		return nil, err
	}
	for _, f := range now {
		if f.Err != nil || len(f.Traffic.Links) != 1 || !slices.ContainsFunc(of, func(o Found) bool { return o.PID == f.PID && o.Place == f.Place }) {
			continue
		}
		streams := f.Traffic.Links[0].Streams
		events = append(events, DrainProgress{Event: "draining", PID: f.PID, Distro: f.Place.Distro, Socket: f.Place.Socket, Left: len(streams), Streams: streams})
	}
	return events, nil
}

// WordsForPerson are for a person: how many are left, and who they are.
func (e DrainProgress) WordsForPerson() string {
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
