package main

import (
	"context"
	"time"
)

// A row is something to do on each path.
type row struct {
	name, title string
	unit        string
	more        bool // is better
	rounds      int  // that tell enough; 0: all
	only        func(*column) bool
	floor       bool // of the column that only copies, too
	estimate    time.Duration
	run         func(context.Context, *place, *column, *measure) error
}

func (r *row) isFor(c *column) bool {
	return (r.only == nil || r.only(c)) && (r.floor || !c.floor)
}

// Rows that goals speak of.
const (
	rowNew      = "new-connection"
	rowKept     = "kept-connection"
	rowWorkers  = "workers-256"
	rowDown     = "down"
	rowUp       = "up"
	rowBoth     = "both"
	rowCeilDown = "relay-down"
	rowCeilUp   = "relay-up"
	rowCeilTrip = "relay-trip"
	rowBeside1  = "ping-beside-1"
	rowBeside8  = "ping-beside-8"
	rowIdle50   = "idle-50"
	rowIdle2000 = "idle-2000"
	rowIdle     = "idle"
)

// bulkRounds are those of rows that take long and vary little.
const bulkRounds = 3

// allRows are those in every column, and the Go benchmarks, which run by themselves.
func allRows() []*row {
	bridges := func(c *column) bool { return c.bridge() }
	relays := func(c *column) bool { return c.name == nameBridge || c.name == namePlain }
	paths := func(c *column) bool { return c.bridge() || c.peer }
	unix := func(c *column) bool { return !c.windowsClient } // there is no docker.exe
	const request, transfer = 2 * time.Second, 5 * time.Second
	return []*row{
		{name: rowNew, title: "`/_ping` on a new connection", unit: "ms", estimate: request, run: latency(engineDocker, "ping")},
		{name: rowKept, title: "`/_ping` on a kept connection", unit: "ms", floor: true, estimate: request, run: latency(engineDocker, "kept")},
		{name: "workers-32", title: "32 workers, new connections", unit: "/s", more: true, estimate: request, run: storm(32)},
		{name: rowWorkers, title: "256 workers, new connections", unit: "/s", more: true, estimate: request, run: storm(256)},
		{name: rowDown, title: "200 MB down", unit: "MB/s", more: true, floor: true, rounds: bulkRounds, estimate: transfer, run: bulk("down", 1)},
		{name: rowUp, title: "200 MB up", unit: "MB/s", more: true, floor: true, rounds: bulkRounds, estimate: transfer, run: bulk("up", 1)},
		{name: rowBoth, title: "200 MB both ways at once", unit: "MB/s", more: true, floor: true, rounds: bulkRounds, estimate: transfer, run: bulk("both", 2)},
		{name: "cp", title: "100 MB out of a container (`docker cp`)", unit: "MB/s", more: true, rounds: bulkRounds, estimate: transfer, run: archive},
		{name: rowCeilDown, title: "the relay alone, 200 MB down", unit: "MB/s", more: true, only: relays, rounds: bulkRounds, estimate: transfer, run: carrier("/in", "head -c 1; dd of=/dev/null bs=64k count=N iflag=count_bytes,fullblock 2>/dev/null; echo")},
		{name: rowCeilUp, title: "the relay alone, 200 MB up", unit: "MB/s", more: true, only: relays, rounds: bulkRounds, estimate: transfer, run: carrier("/out", "head -c 1; dd if=/dev/zero bs=64k count=N iflag=count_bytes 2>/dev/null")},
		{name: "relay-both", title: "the relay alone, `cat`", unit: "MB/s", more: true, only: relays, rounds: bulkRounds, estimate: transfer, run: carrier("/both", "cat")},
		{name: rowCeilTrip, title: "the relay alone, a round trip", unit: "ms", only: relays, estimate: request, run: carrier("/trip", "cat")},
		{name: rowBeside1, title: "`/_ping` beside a bulk download", unit: "ms", estimate: request, run: latency(engineBytes, "beside", "-workers", "1")},
		{name: rowBeside8, title: "`/_ping` beside 8 bulk downloads", unit: "ms", estimate: request, run: latency(engineBytes, "beside", "-workers", "8")},
		{name: "run", title: "`docker run --rm busybox true`", unit: "ms", only: unix, estimate: request, run: container},
		{name: "burst", title: "30 requests as `docker compose ps` makes them", unit: "ms", estimate: request / 2, run: latency(engineDocker, "burst", "-n", "30", "-path", "/containers/"+home+"/json")},
		{name: "start-up", title: "from the command to the first answer", unit: "ms", only: paths, estimate: request, run: startUp},
		{name: "late-answer", title: "1 MiB said 1 s after the end of input", unit: "ms", rounds: 1, estimate: request, run: late},
		{name: rowIdle50, title: "50 idle streams", unit: "MiB", rounds: 1, only: paths, estimate: transfer, run: idleStreams(50)},
		{name: "idle-500", title: "500 idle streams", unit: "MiB", rounds: 1, only: bridges, estimate: transfer, run: idleStreams(500)},
		{name: rowIdle2000, title: "2,000 idle streams", unit: "MiB", rounds: 1, only: bridges, estimate: 2 * transfer, run: idleStreams(2000)},
		{name: rowIdle, title: "CPU of an idle bridge", unit: "%", rounds: 1, only: func(c *column) bool { return c.name == nameNative }, estimate: time.Minute, run: idle},
		{name: goMux}, {name: goRelay},
	}
}
