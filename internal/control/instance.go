package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// RunsError says that another instance has the place. Status is how it is.
type RunsError struct{ Status Status }

func (e *RunsError) Error() string {
	return fmt.Sprintf("it is served already, by pid %d since %s", e.Status.PID, e.Status.Since.Local().Format(time.DateTime))
}

// Instance is the one bridge for its place.
type Instance struct {
	server *server
	file   string // empty: nobody looks for it
}

// OpenInstance becomes the instance of a place: it listens for questions, proves that it can be reached,
// and leaves a file in dir, of this user, that tells where. The error is a *RunsError if another
// one has the place.
func OpenInstance(ctx context.Context, dir string, p Place, h Handler) (*Instance, error) {
	i, err := openInstancePlace(ctx, dir, p, h)
	if err != nil {
		return nil, fmt.Errorf("open control endpoint for %s in %s: %w", p.Socket, p.Distro, err)
	}
	return i, nil
}

// OpenConfig becomes the instance of a configuration, which is found by who knows its file.
// The error is a *RunsError if another one has it.
func OpenConfig(ctx context.Context, dir, file string, h Handler) (*Instance, error) {
	s, err := listenAtPlace(ctx, dir, ConfigPlace(file), h)
	if err != nil {
		return nil, fmt.Errorf("open control endpoint for %s: %w", file, err)
	}
	return &Instance{server: s}, nil
}

func openInstancePlace(ctx context.Context, dir string, p Place, h Handler) (*Instance, error) {
	s, err := listenAtPlace(ctx, dir, p, h)
	if err != nil {
		return nil, err
	}
	i := &Instance{server: s, file: filepath.Join(dir, fmt.Sprintf("%s.%d.json", p.ID(), os.Getpid()))}
	if err := writeInstanceRecord(i.file, instanceRecord{PID: os.Getpid(), Distro: p.Distro, Socket: p.Socket}); err != nil {
		return nil, errors.Join(err, s.closeAll())
	}
	return i, nil
}

// listenAtPlace listens at a place's endpoint and proves that it can be reached.
func listenAtPlace(ctx context.Context, dir string, p Place, h Handler) (*server, error) {
	at, err := endpoint.PrivateEndpoint(dir, p.ID())
	if err != nil {
		return nil, err
	}
	s, err := listenUnlessServed(ctx, at, h)
	if err != nil {
		return nil, err
	}
	if err := proveReachable(ctx, at); err != nil {
		return nil, errors.Join(err, s.closeAll())
	}
	return s, nil
}

// HideFile removes the file, before Close. If somebody holds it the error is for a log and no more: a file that
// stays counts for nothing once the endpoint has ended, and is removed by the next who finds it.
func (i *Instance) HideFile() error {
	if i.file == "" {
		return nil
	}
	if err := state.RemoveFile(i.file); err != nil {
		return fmt.Errorf("remove instance file: %w", err)
	}
	i.file = ""
	return nil
}

// Close ends the endpoint, which tells who waits that it has ended, and removes the file if Hide has not.
func (i *Instance) Close() error {
	if i.file != "" {
		_ = state.TryRemoveFile(i.file) // what stays is in nobody's way
	}
	return i.server.closeAll()
}

const (
	// endingTries is how often a place is tried that is taken by one that does not answer: it
	// may be at its end.
	endingTries = 10
	endingPause = 50 * time.Millisecond
)

// listenUnlessServed asks first: that another one is there is what a person is to be told, in its own words.
func listenUnlessServed(ctx context.Context, at endpoint.Endpoint, h Handler) (*server, error) {
	for try := 1; ; try++ {
		s, err := AskStatus(ctx, at)
		if err == nil {
			return nil, &RunsError{s}
		}
		if errors.Is(err, endpoint.ErrOwner) {
			return nil, err // somebody else has made it, and will not go away
		}
		l, err := at.ListenPrivate()
		if err == nil {
			return newServer(l, h), nil
		}
		if try == endingTries || !isPlaceTaken(err) {
			return nil, err
		}
		select {
		case <-time.After(endingPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// isPlaceTaken tells an endpoint that somebody has from one that can't be made.
func isPlaceTaken(err error) bool {
	var inUse *endpoint.InUseError
	return errors.As(err, &inUse) || errors.Is(err, fs.ErrPermission)
}

func isInstanceGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// reachTries double from reachTime. Under Wine the first clients of a pipe can land on the instance
// that go-winio keeps parked, and are never answered; on Windows the first one is.
const (
	reachTries = 6
	reachTime  = 100 * time.Millisecond
)

// proveReachable wants this instance to answer at its own endpoint. If it does not, now is the
// time to know.
func proveReachable(ctx context.Context, at endpoint.Endpoint) (err error) {
	for try := range reachTries {
		short, cancel := context.WithTimeout(ctx, reachTime<<try)
		var s Status
		s, err = AskStatus(short, at)
		cancel()
		if err == nil && s.PID != os.Getpid() {
			return &RunsError{s}
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// instanceRecord is the file of an instance.
type instanceRecord struct {
	PID    int    `json:"pid"`
	Distro string `json:"distro"`
	Socket string `json:"socket"`
}

func writeInstanceRecord(file string, r instanceRecord) error {
	b, err := json.Marshal(r)
	if err == nil {
		err = state.WriteFile(file, append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// Found is an instance that has left a file. Err tells why it did not answer.
type Found struct {
	At      endpoint.Endpoint
	Place   Place
	PID     int
	Status  Status  // of List
	Traffic Traffic // of ListTraffic
	Err     error
}

// askFunc has the one who was found answer, and tells which process did.
type askFunc func(context.Context, *Found) (pid int, err error)

// ListStatus asks all instances of this user how they are, in the order of their files' names. A file
// whose instance is gone is removed.
func ListStatus(ctx context.Context, dir string) ([]Found, error) {
	return listInstances(ctx, dir, func(ctx context.Context, f *Found) (pid int, err error) {
		f.Status, err = AskStatus(ctx, f.At)
		return f.Status.PID, err
	})
}

// ListTraffic asks them what they carry. No engine is asked for that.
func ListTraffic(ctx context.Context, dir string) ([]Found, error) {
	return listInstances(ctx, dir, func(ctx context.Context, f *Found) (pid int, err error) {
		f.Traffic, err = AskTraffic(ctx, f.At)
		if err == nil && len(f.Traffic.Links) > 0 {
			pid = f.Traffic.Links[0].PID
		}
		return pid, err
	})
}

func listInstances(ctx context.Context, dir string, ask askFunc) ([]Found, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list bridges: %w", err)
	}
	all := make([]*Found, len(entries))
	var asking sync.WaitGroup
	for i, e := range entries {
		asking.Go(func() { all[i] = findInstance(ctx, dir, e.Name(), ask) })
	}
	asking.Wait()
	var found []Found
	for _, f := range all {
		if f != nil {
			found = append(found, *f)
		}
	}
	return found, ctx.Err()
}

// findInstance asks the instance of a file; nil is none. The file's name has the process' number, so that what is
// removed is never that of a newer instance.
func findInstance(ctx context.Context, dir, name string, ask askFunc) *Found {
	file := filepath.Join(dir, name)
	r, err := readInstanceRecord(file)
	if err != nil {
		return nil
	}
	f := &Found{Place: Place{r.Distro, r.Socket}, PID: r.PID}
	if f.At, f.Err = endpoint.PrivateEndpoint(dir, f.Place.ID()); f.Err != nil {
		return f
	}
	pid, err := ask(ctx, f)
	f.Err = err
	gone := isInstanceGone(err) || err == nil && pid != r.PID
	if gone {
		_ = endpoint.RemoveStale(f.At.Path()) // of a killed one; Windows has none
		_ = state.TryRemoveFile(file)         // the next one tries again
		return nil
	}
	return f
}

// maxRecord bounds a file; ours have 100 bytes.
const maxRecord = 4 << 10

// readInstanceRecord takes a file for what it should be or for nothing.
func readInstanceRecord(file string) (r instanceRecord, err error) {
	b, err := state.ReadFile(file, maxRecord) // whose instance may be ending
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, err
	}
	want := Place{r.Distro, r.Socket}.ID() + "." + strconv.Itoa(r.PID) + ".json"
	if filepath.Base(file) != want {
		return r, state.ErrForeign
	}
	return r, nil
}
