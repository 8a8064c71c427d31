package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

const (
	runDir = "/run/docker-wsl-bridge"
	// againTime is when a bridge that does not serve again is a hang: the longest
	// pause between two attempts and a slow start, twice.
	againTime = 90 * time.Second
	// lookEvery is the pause between two looks at what tells nobody.
	lookEvery = 20 * time.Millisecond
)

// A ward is a bridge and a VM of its own with one distro, to which anything may
// happen. The distro's name tells its processes from others'.
type ward struct {
	name   string
	socket string
	s      *stage.Stage
	b      *stage.Bridge
}

func openWard(ctx context.Context, all *stage.Stage, dir, name string) (*ward, error) {
	s, err := all.WithVM(ctx, wsl.Options{Dir: filepath.Join(dir, name), Distros: []wsl.Distro{stage.LikeDebian(name)}})
	if err != nil {
		return nil, err
	}
	// The kernel's list of sockets is one for all distros of this machine.
	w := &ward{name: name, s: s, socket: fmt.Sprintf("%s/%s-%d.sock", runDir, name, os.Getpid())}
	up := s.Windows(context.WithoutCancel(ctx), "up", "--json", "--distro", name, "--pipe", s.Engine.Pipe, "--socket", w.socket)
	if w.b, err = s.Up(ctx, up); err != nil {
		return nil, errors.Join(err, s.VM.Close())
	}
	return w, nil
}

func (w *ward) close() error {
	var err error
	if w.b.Cmd.ProcessState == nil {
		err = w.b.Kill()
	}
	return errors.Join(err, w.s.VM.Close())
}

// dial connects as clients in the distro do.
func (w *ward) dial() (net.Conn, error) { return net.Dial("unix", w.s.VM.Path(w.name, w.socket)) }

// windows are the programs there that have to do with this distro, as
// "PID ARG ARG".
func (w *ward) windows() (list []string) {
	for _, p := range w.s.Wine.Processes() {
		if strings.Contains(p+" ", " "+w.name+" ") {
			list = append(list, p)
		}
	}
	return list
}

// linux are the processes of the distro, in the same form.
func (w *ward) linux() (list []string, err error) {
	pids, err := w.s.VM.Pids(w.name)
	for _, pid := range pids {
		list = append(list, fmt.Sprint(pid, " ", wsl.ProcessName(pid)))
	}
	return list, err
}

// agent is the agent's process, wslExe that of its carrier.
func (w *ward) agent() (pid int, err error) {
	list, err := w.linux()
	if err != nil {
		return 0, err
	}
	return only(list, runDir+"/agent-")
}

func (w *ward) wslExe() (pid int, err error) { return only(w.windows(), "wsl.exe") }

// only is the number of the one process in the list that has the text.
func only(list []string, text string) (pid int, err error) {
	for _, p := range list {
		if !strings.Contains(p, text) {
			continue
		}
		if pid != 0 {
			return 0, fmt.Errorf("find %s: several in %q", text, list)
		}
		number, _, _ := strings.Cut(p, " ")
		if pid, err = strconv.Atoi(number); err != nil {
			return 0, err
		}
	}
	if pid == 0 {
		return 0, fmt.Errorf("find %s: none in %q", text, list)
	}
	return pid, nil
}

func kill(find func() (int, error)) func() error {
	return func() error {
		pid, err := find()
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
}

// happened counts what the bridge has told of.
func (w *ward) happened(event string) int {
	return strings.Count(w.b.Output(), `{"event":"`+event+`"`)
}

// awaits waits until it has told of an event so often.
func (w *ward) awaits(ctx context.Context, event string, times int) error {
	return until(ctx, againTime, event, func() error {
		if n := w.happened(event); n < times {
			return fmt.Errorf("told %d times of %d", n, times)
		}
		return nil
	})
}

// restarts does something that ends the carrier, and waits until there is a new one.
func (w *ward) restarts(ctx context.Context, act func() error) error {
	before := w.happened("ready")
	if err := act(); err != nil {
		return err
	}
	return w.awaits(ctx, "ready", before+1)
}

// serves waits until the engine answers through the bridge.
func (w *ward) serves(ctx context.Context) error {
	return until(ctx, againTime, "an answer through "+w.name, func() error { return ping(w.dial) })
}

// until looks again and again until something holds.
func until(ctx context.Context, bound time.Duration, what string, holds func() error) error {
	began := time.Now()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		if time.Since(began) > bound {
			return fmt.Errorf("wait %v for %s: %w", bound, what, err)
		}
		if stopped := pause(ctx, lookEvery); stopped != nil {
			return fmt.Errorf("wait for %s: %w", what, stopped)
		}
	}
}
