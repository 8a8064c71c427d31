package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

const (
	// followEvery is after how long an engine that was found is asked again what it is, when
	// somebody connects: a pipe may lead to another one by then, as Docker Desktop's does. It
	// takes a ping.
	followEvery = 5 * time.Second
	// followTime is what the answer may take before the engine is taken for what it was.
	followTime = time.Second
)

// engineResolver leads connections to the engine: the named one, or the first one for Windows containers,
// which need not be there before somebody connects, and is followed.
type engineResolver struct {
	link     *links.Link
	in       *instance
	commands *endpoint.Commands // nil: it is a place
	looking  chan struct{}      // held by who looks for the engine

	mu    sync.Mutex
	found endpoint.Endpoint // the zero value while none was
	seen  time.Time         // when it was asked last
	gone  bool              // it was there, and is no more
	err   error             // why none was found then
}

// maxCommands bounds the processes of a link to a command.
const maxCommands = 64

func newEngineResolver(l *links.Link, in *instance) *engineResolver {
	f := &engineResolver{link: l, in: in, looking: make(chan struct{}, 1)}
	if l.Engine.IsCommand() {
		f.commands = l.Engine.Commands(maxCommands, in.commandLines)
	}
	return f
}

func (f *engineResolver) knownEngine() (at endpoint.Endpoint, known bool) {
	if named := f.link.Engine; named != (endpoint.Endpoint{}) {
		return named, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.found, f.found != (endpoint.Endpoint{})
}

// knownPlace is where the engine is, empty while that is not known.
func (f *engineResolver) knownPlace() string {
	if at, known := f.knownEngine(); known {
		return at.String()
	}
	return ""
}

// possiblePlaces are where the engine may be, for who is told that it is not there.
func (f *engineResolver) possiblePlaces() string {
	if named := f.link.Engine; named != (endpoint.Endpoint{}) {
		return named.String()
	}
	names := engine.PipeNames()
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last] + " for Windows containers"
}

// dialCached is a bridge.Dial.
func (f *engineResolver) dialCached(ctx context.Context) (net.Conn, error) {
	return f.dialLastSeen(ctx, followEvery)
}

// dialFresh is the same for who asks how things are: nothing that was seen before counts.
func (f *engineResolver) dialFresh(ctx context.Context) (net.Conn, error) {
	return f.dialLastSeen(ctx, 0)
}

// dialLastSeen connects to the engine, which was seen at its place no longer ago than that.
func (f *engineResolver) dialLastSeen(ctx context.Context, ago time.Duration) (net.Conn, error) {
	switch named := f.link.Engine; {
	case f.commands != nil:
		return f.commands.Dial(ctx)
	case named != (endpoint.Endpoint{}):
		return f.link.DialerFor(named)(ctx)
	}
	at, err := f.resolveEngine(ctx, ago)
	if err != nil {
		return nil, err
	}
	conn, err := at.Dial(ctx)
	if !errors.Is(err, fs.ErrNotExist) {
		return conn, err
	}
	if at, err = f.resolveEngine(ctx, 0); err != nil { // it has gone just now
		return nil, err
	}
	return at.Dial(ctx)
}

// resolveEngine is where the engine for Windows containers is now. One at a time looks.
func (f *engineResolver) resolveEngine(ctx context.Context, ago time.Duration) (at endpoint.Endpoint, err error) {
	began := time.Now()
	select {
	case f.looking <- struct{}{}:
	case <-ctx.Done():
		return at, context.Cause(ctx)
	}
	defer func() { <-f.looking }()
	f.mu.Lock()
	before, seen, failed := f.found, f.seen, f.err
	f.mu.Unlock()
	there := before != (endpoint.Endpoint{})
	switch {
	case there && time.Since(seen) < ago:
		return before, nil
	case failed != nil && seen.After(began): // while this one waited for its turn
		return at, lackingEngine(failed)
	case there && isStillEngine(ctx, before):
		at = before
	default:
		at, _, err = findEngine(ctx, f.link, func(string) {})
	}
	if ctx.Err() != nil {
		return at, context.Cause(ctx) // which says nothing of the engine
	}
	f.noteFound(before, at, err)
	if err != nil {
		return at, lackingEngine(err)
	}
	return at, nil
}

// isStillEngine tells whether a place still leads to an engine for Windows containers. Who takes his time,
// or lets nobody in, has not said otherwise.
func isStillEngine(ctx context.Context, at endpoint.Endpoint) bool {
	ctx, cancel := context.WithTimeout(ctx, followTime)
	defer cancel()
	info, err := engine.Probe(ctx, at.Dial)
	switch {
	case err == nil:
		return info.OSType == "windows"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, engine.ErrNotEngine), errors.Is(err, endpoint.ErrOwner):
		return false
	}
	return true
}

// noteFound notes what was found, and has the log tell what is new.
func (f *engineResolver) noteFound(before, now endpoint.Endpoint, err error) {
	f.mu.Lock()
	gone := f.gone
	f.found, f.seen, f.err = now, time.Now(), err
	f.gone = err != nil && (gone || before != (endpoint.Endpoint{}))
	f.mu.Unlock()
	link := "engine of link " + f.link.Name
	switch {
	case err != nil && !gone && before != (endpoint.Endpoint{}):
		f.in.own.Warn(link+" is gone", "was", before.String(), "error", err)
	case err == nil && now != before:
		f.in.own.Info(link+" is found", "at", now.String(), "was", before.String())
	}
}

// lackingEngine adds to what was seen of engines whether they are not there or not for this user, which
// is what a client is told.
func lackingEngine(err error) error {
	var none *engine.NotFoundError
	if !errors.As(err, &none) {
		return err
	}
	for _, seen := range none.Seen {
		if errors.Is(seen.Err, fs.ErrPermission) {
			return &lackingError{none, fs.ErrPermission}
		}
	}
	return &lackingError{none, fs.ErrNotExist}
}

type lackingError struct {
	error
	kind error
}

func (e *lackingError) Unwrap() []error { return []error{e.error, e.kind} }
