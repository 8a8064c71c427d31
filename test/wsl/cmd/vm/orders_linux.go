package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// order is what the service tells init. One of the fields is set.
type order struct {
	Launch *guestLaunch  // start it, with the sockets that come along
	Freeze bool          // stop all relays
	Thaw   bool          // let them go on
	Stop   time.Duration // end the programs, and after that time everything
}

// orderDone is init's answer to a freeze and a thaw.
const orderDone = "done"

// relays are the relays of a distro, as init knows them.
type relays struct {
	mu     sync.Mutex
	frozen map[int]bool // by process id, every one that has not been reaped
}

// start starts a relay on its sockets.
func (r *relays) start(l guestLaunch, sockets []int) error {
	settings, err := memory(l)
	if err != nil {
		return err
	}
	defer unix.Close(settings)
	files := []uintptr{0, 1, 2}
	for _, fd := range append(sockets, settings) {
		files = append(files, uintptr(fd))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(self, []string{"Relay", partRelay}, &syscall.ProcAttr{Dir: "/", Files: files, Env: []string{}})
	if err != nil {
		return fmt.Errorf("start relay: %w", err)
	}
	r.frozen[pid] = false
	return nil
}

// reap collects what has ended as a child of init: relays, and the orphans they
// leave.
func (r *relays) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if pid <= 0 {
			return
		}
		delete(r.frozen, pid)
	}
}

// freeze stops all relays and returns when none of them moves any more. The
// programs at their other ends notice nothing but that.
func (r *relays) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for pid, frozen := range r.frozen {
		if frozen {
			continue // a second stop would be no event to wait for
		}
		unix.Kill(pid, unix.SIGSTOP)
		var status unix.WaitStatus
		_, err := retried(func() (int, error) { return unix.Wait4(pid, &status, unix.WUNTRACED, nil) })
		if err != nil || !status.Stopped() {
			delete(r.frozen, pid) // it ended first
			continue
		}
		r.frozen[pid] = true
	}
}

func (r *relays) thaw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for pid := range r.frozen {
		unix.Kill(pid, unix.SIGCONT)
		r.frozen[pid] = false
	}
}

// stop asks every program to end, and returns when all have and their relays
// too, or when the time is over. The end of init is that of whoever is left.
func (r *relays) stop(grace time.Duration) {
	for _, pid := range processes() {
		if !r.has(pid) {
			unix.Kill(pid, unix.SIGTERM)
		}
	}
	for end := time.Now().Add(grace); len(processes()) > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *relays) has(pid int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.frozen[pid]
	return ok
}

// processes are those of this distro but init.
func processes() []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid > 1 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// errStopped ends init.
var errStopped = errors.New("stop distro")

// obey takes one order and does it.
func (r *relays) obey() error {
	o, sockets, err := receiveOrder()
	if err != nil {
		return err
	}
	defer func() {
		for _, fd := range sockets {
			unix.Close(fd)
		}
	}()
	switch {
	case o.Launch != nil:
		return r.start(*o.Launch, sockets)
	case o.Freeze:
		r.freeze()
	case o.Thaw:
		r.thaw()
	default:
		r.stop(o.Stop)
		return errStopped
	}
	_, err = unix.Write(initChannel, []byte(orderDone))
	return err
}

// receiveOrder waits for one message from the service.
func receiveOrder() (o order, sockets []int, err error) {
	body := make([]byte, 1<<20)
	rights := make([]byte, unix.CmsgSpace(wire.Sockets*4))
	var oobn int
	n, err := retried(func() (n int, err error) {
		n, oobn, _, _, err = unix.Recvmsg(initChannel, body, rights, unix.MSG_CMSG_CLOEXEC)
		return n, err
	})
	if err != nil || n == 0 {
		return o, nil, fmt.Errorf("receive order: channel closed (%w)", err)
	}
	if oobn > 0 {
		if sockets, err = parseRights(rights[:oobn]); err != nil {
			return o, nil, err
		}
	}
	return o, sockets, json.Unmarshal(body[:n], &o)
}
