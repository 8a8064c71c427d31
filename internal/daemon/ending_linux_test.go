package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// A drain, a stop or Ctrl-C gets through while a change waits for a link whose log, or whose state directory, stands
// still, and all of them come to their end once it moves again: nobody waits for the end of a link with a lock that
// the answer to a drain of it needs.
func TestChangeWaitsForNobodyWhoWaitsForIt(t *testing.T) {
	for name, c := range changes {
		for ending, end := range endings {
			for stalled, stall := range stalls {
				t.Run(name+"/"+ending+"/"+stalled, func(t *testing.T) { endDuring(t, c, stall, end) })
			}
		}
	}
}

// stalls are what can stand still.
var stalls = map[string]func(s *stalledFleet){
	"log":                         func(s *stalledFleet) { s.log.stall() },
	"state directory":             func(s *stalledFleet) { s.disk.stall() },
	"log and the state directory": func(s *stalledFleet) { s.disk.stall(); s.log.stall() },
}

// aChange takes the only link from where it is, or writes to its log.
type aChange struct {
	link   string // of the configuration
	distro string // that its endpoint is named after
	ready  string // the line of its log behind which nothing happens by itself
	state  string // of the link once it has begun; empty: there is none
	begin  func(ctx context.Context, s *stalledFleet)
}

var changes = map[string]aChange{
	"reload without the link": {
		link: "distro = \"First\"\nfrom = \"unix:/run/x.sock\"\n", distro: "First", ready: "state=distro-stopped",
		begin: func(ctx context.Context, s *stalledFleet) {
			configureLinks(s.t, s.file, "other")
			s.ends(func() error {
				_, err := control.ReloadInstance(ctx, s.at)
				return err
			})
		},
	},
	"default distro gets its name": {
		link: "from = \"unix:/run/x.sock\"\n", distro: unknownDistro, ready: "state=lost",
		begin: func(_ context.Context, s *stalledFleet) {
			s.distros("First Running 2\nSecond Stopped 2\n", "First\n")
			s.wake <- struct{}{}
		},
	},
	"shared socket moves": {
		link: "distro = \"*\"\nhost = \"First\"\nfrom = \"unix:/mnt/wsl/d/x.sock\"\n", distro: "*", ready: "state=distro-stopped",
		begin: func(_ context.Context, s *stalledFleet) {
			s.distros("First Stopped 2\nSecond Running 2\n", "Second\n")
			s.f.roaming.wakeFailover()
		},
	},
	"event is written": {
		link: "distro = \"First\"\nfrom = \"unix:/run/x.sock\"\n", distro: "First", ready: "state=distro-stopped", state: "starting",
		begin: func(_ context.Context, s *stalledFleet) {
			s.distros("First Running 2\n", "First\n")
			s.wake <- struct{}{}
		},
	},
}

// endings are asked for at the link's own endpoint, but for Ctrl-C.
var endings = map[string]func(ctx context.Context, s *stalledFleet, at endpoint.Endpoint){
	"drain": func(ctx context.Context, s *stalledFleet, at endpoint.Endpoint) { s.drain(ctx, at) },
	"stop": func(ctx context.Context, s *stalledFleet, at endpoint.Endpoint) {
		s.ends(func() error { return control.StopInstance(ctx, at) })
	},
	"reload, drain, stop and Ctrl-C": func(ctx context.Context, s *stalledFleet, at endpoint.Endpoint) {
		for range 3 {
			s.ends(func() error {
				_, _ = control.ReloadInstance(ctx, at) // which finds it at its end, or is cut off by that
				return nil
			})
			s.drain(ctx, at)
			s.ends(func() error { return control.StopInstance(ctx, s.at) })
		}
		s.cancel()
	},
}

func endDuring(t *testing.T, c aChange, stall func(*stalledFleet), end func(context.Context, *stalledFleet, endpoint.Endpoint)) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	place := control.Place{Distro: c.distro, Socket: strings.TrimSuffix(c.link[strings.Index(c.link, "unix:")+5:], "\"\n")}
	s := startStalled(t, ctx, c, place)
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	at, err := endpoint.PrivateEndpoint(state.RunDir(dir), place.ID())
	if err != nil {
		t.Fatal(err)
	}
	stall(s)
	c.begin(ctx, s)
	for ctx.Err() == nil { // until it has begun
		traffic, err := control.AskTraffic(ctx, s.at)
		if err != nil || len(traffic.Links) == 0 || traffic.Links[0].State == c.state {
			break
		}
	}
	for _, asked := range []endpoint.Endpoint{s.at, at} { // a status waits for no disk
		if _, err := control.AskStatus(ctx, asked); errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	end(ctx, s, at)
	select {
	case <-s.f.ctx.Done():
	case <-ctx.Done():
		t.Error("nothing gets through while the disk stands still")
	}
	s.disk.release()
	s.log.release()
	s.awaitAll(ctx)
}

// stalledFleet serves one link whose log can be stalled. Its wsl.exe runs no program.
type stalledFleet struct {
	t      *testing.T
	f      *daemon
	file   string
	at     endpoint.Endpoint // of all of it
	wake   chan struct{}
	log    *stallable
	disk   *stallableDisk
	home   string
	cancel context.CancelFunc
	ended  chan error
	asked  int
}

func startStalled(t *testing.T, ctx context.Context, c aChange, place control.Place) *stalledFleet {
	home, err := os.MkdirTemp("", "dwb-") // short enough for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	s := &stalledFleet{t: t, home: home, wake: make(chan struct{}), ended: make(chan error, 20)}
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CONFIG_HOME", "PATH"} {
		t.Setenv(name, s.home)
	}
	words := "#!/bin/sh\ncase $* in *--running*) f=running;; *--verbose*) f=table;; *--list*) f=names;; *) exit 1;; esac\nexec /bin/cat " + s.home + "/$f\n"
	if err := os.WriteFile(filepath.Join(s.home, "wsl.exe"), []byte(words), 0o700); err != nil {
		t.Fatal(err)
	}
	if c.distro != unknownDistro {
		s.distros("First Stopped 2\n", "")
	}
	file, err := config.UserFile("linux", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	text := "[[link]]\nname = \"only\"\nkeep-alive = \"while-running\"\nto = \"unix:/run/engine.sock\"\n" + c.link
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	wanted, err := links.Load(config.MachineFile(), file, "linux")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	s.file = file
	if s.at, err = endpoint.PrivateEndpoint(state.RunDir(dir), control.ConfigPlace(file).ID()); err != nil {
		t.Fatal(err)
	}
	s.log = newStallable(t, state.LogFile(dir, place.Distro, place.ID()), c.ready)
	s.f = newDaemon(ofFile(file, s.wake))
	s.disk = &stallableDisk{moves: closed()}
	s.f.disk = s.disk
	served, cancel := context.WithCancel(ctx)
	s.cancel = cancel
	s.ends(func() error { return s.f.serveLinks(served, wanted.Links) })
	select {
	case <-s.log.seen:
	case <-ctx.Done():
		t.Fatal("the link's log does not say " + c.ready)
	}
	return s
}

// distros are what wsl.exe lists from now on: rows of a name, a state and a version, the default one first.
func (s *stalledFleet) distros(rows, running string) {
	s.t.Helper()
	names, table, mark := "", fmt.Sprintf("  %-10s%-16s%s\n", "NAME", "STATE", "VERSION"), "*"
	for row := range strings.Lines(rows) {
		words := strings.Fields(row)
		names += words[0] + "\n"
		table += fmt.Sprintf("%-2s%-10s%-16s%s\n", mark, words[0], words[1], words[2])
		mark = ""
	}
	for name, text := range map[string]string{"names": names, "running": running, "table": table} {
		if err := os.WriteFile(filepath.Join(s.home, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// ends runs what has to come to its end.
func (s *stalledFleet) ends(what func() error) {
	s.asked++
	go func() { s.ended <- what() }()
}

func (s *stalledFleet) drain(ctx context.Context, at endpoint.Endpoint) {
	s.ends(func() error {
		_, _ = control.DrainInstance(ctx, at, time.Hour) // one that comes too late is cut off
		return nil
	})
}

func (s *stalledFleet) awaitAll(ctx context.Context) {
	s.t.Helper()
	for range s.asked {
		select {
		case err := <-s.ended:
			if err != nil {
				s.t.Error(err)
			}
		case <-ctx.Done():
			s.t.Fatal("it does not come to its end")
		}
	}
}

// stallableDisk is the user's, and stands still at times.
type stallableDisk struct {
	userDisk

	mu    sync.Mutex
	moves chan struct{} // closed while it does
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (d *stallableDisk) stall() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves = make(chan struct{})
}

func (d *stallableDisk) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.moves:
	default:
		close(d.moves)
	}
}

func (d *stallableDisk) wait() {
	d.mu.Lock()
	moves := d.moves
	d.mu.Unlock()
	<-moves
}

func (d *stallableDisk) openLog(path string) (io.WriteCloser, error) {
	d.wait()
	return d.userDisk.openLog(path)
}

func (d *stallableDisk) record(m state.Made) error {
	d.wait()
	return d.userDisk.record(m)
}

func (d *stallableDisk) hide(i *control.Instance) error {
	d.wait()
	return d.userDisk.hide(i)
}

func (d *stallableDisk) open(ctx context.Context, dir string, p control.Place, h control.Handler) (*control.Instance, error) {
	d.wait()
	return d.userDisk.open(ctx, dir, p, h)
}

// stallable is a log whose writers can be held up.
type stallable struct {
	t    *testing.T
	f    *os.File // both ends of a FIFO
	seen chan struct{}
	read chan struct{} // closed when nobody reads any more
}

func newStallable(t *testing.T, path, await string) *stallable {
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	l := &stallable{t: t, f: f, seen: make(chan struct{}), read: make(chan struct{})}
	go func() {
		defer close(l.read)
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if strings.Contains(lines.Text(), await) {
				close(l.seen)
				return
			}
		}
	}()
	return l
}

// stall fills it.
func (l *stallable) stall() {
	<-l.read
	raw, err := l.f.SyscallConn()
	if err != nil {
		l.t.Fatal(err)
	}
	for full := false; !full; {
		_ = raw.Control(func(fd uintptr) {
			_, err := unix.Write(int(fd), []byte("\n"))
			full = err != nil
		})
	}
}

// release has somebody read it again, until the test ends.
func (l *stallable) release() {
	go func() {
		for b := make([]byte, 4096); ; {
			if _, err := l.f.Read(b); err != nil {
				return
			}
		}
	}()
}
