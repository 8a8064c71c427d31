package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
)

// distro is one distro as the service sees it.
type distro struct {
	plan.Distro
	vm   plan.VM
	made bool

	mu   sync.Mutex
	pid  int           // of its init; 0 while it is stopped
	gone chan struct{} // closed when that init has ended
	// channel goes to init: one message per order, a launch with its five sockets.
	channel int
	clients int         // processes of Windows that keep the distro up
	idle    *time.Timer // runs while there is none
}

// start boots the distro if it is stopped, as the first wsl.exe does.
func (d *distro) start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs() {
		return nil
	}
	root := d.Root(d.vm.Dir)
	if !d.made {
		if err := makeRoot(d.Distro, root); err != nil {
			return fmt.Errorf("make root of %s: %w", d.Name, err)
		}
		d.made = true
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make channel to init: %w", err)
	}
	settings, err := memory(bootPlan{d.vm, d.Distro})
	if err != nil {
		return err
	}
	defer unix.Close(settings)
	started := make(chan error)
	d.gone = make(chan struct{})
	go d.own(started, pair[1], settings)
	if err := <-started; err != nil {
		unix.Close(pair[0])
		return fmt.Errorf("start init of %s: %w", d.Name, err)
	}
	if err := awaitWord(pair[0], bootDone); err != nil {
		unix.Close(pair[0])
		d.pid = 0
		return fmt.Errorf("boot %s: %w", d.Name, err)
	}
	d.channel = pair[0]
	d.rest()
	return os.WriteFile(d.PidFile(d.vm.Dir), []byte(strconv.Itoa(d.pid)), 0o644)
}

// runs says whether init is there, and tidies up after one that ended by itself.
func (d *distro) runs() bool {
	if d.pid == 0 {
		return false
	}
	select {
	case <-d.gone:
		d.forget()
	default:
	}
	return d.pid != 0
}

func (d *distro) forget() {
	unix.Close(d.channel)
	os.Remove(d.PidFile(d.vm.Dir))
	d.pid = 0
}

// own starts init and waits for its end. It keeps its thread for that long,
// because init's parent-death signal comes when the thread dies that forked
// (golang/go#27505). Init's death ends every process of the distro.
func (d *distro) own(started chan<- error, channel, settings int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(d.gone)
	pid, err := syscall.ForkExec(self, []string{"init", partInit}, &syscall.ProcAttr{
		Files: []uintptr{0, 2, 2, uintptr(channel), uintptr(settings)},
		Sys: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
			Setsid:     true,
		},
	})
	unix.Close(channel)
	if err != nil {
		started <- err
		return
	}
	d.pid = pid // start, which waits, holds the lock
	started <- nil
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// awaitWord reads what init reports: any other word, or none, is a failure.
func awaitWord(channel int, word string) error {
	var b [512]byte
	n, err := retried(func() (int, error) { return unix.Read(channel, b[:]) })
	if err != nil {
		return err
	}
	if string(b[:n]) != word {
		return errors.New("init ended: " + string(b[:n]))
	}
	return nil
}

// running says whether the distro runs, without starting it.
func (d *distro) running() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs()
}

// stop ends every process of the distro and returns when all are gone.
func (d *distro) stop(grace time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.halt(grace)
}

// halt is stop for who holds the lock. Without a grace all are killed at once.
func (d *distro) halt(grace time.Duration) {
	if !d.runs() {
		return
	}
	if grace == 0 || d.send(order{Stop: grace}) != nil {
		unix.Kill(d.pid, unix.SIGKILL)
	}
	<-d.gone
	d.forget()
}

// launch hands a launch and its sockets to init.
func (d *distro) launch(l guestLaunch, sockets []int) error {
	if err := d.start(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.send(order{Launch: &l}, sockets...)
}

// order has init do something, if there is an init, and waits for that.
func (d *distro) order(o order) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.runs() {
		return nil
	}
	if err := d.send(o); err != nil {
		return err
	}
	return awaitWord(d.channel, orderDone)
}

func (d *distro) send(o order, sockets ...int) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	var rights []byte
	if len(sockets) > 0 {
		rights = unix.UnixRights(sockets...)
	}
	if err := unix.Sendmsg(d.channel, body, rights, nil, 0); err != nil {
		return fmt.Errorf("send order to init of %s: %w", d.Name, err)
	}
	return nil
}

// enter counts a client. The channel closes when the distro, if it runs now,
// stops.
func (d *distro) enter() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients++
	if d.idle != nil {
		d.idle.Stop()
	}
	return d.gone
}

// leave is the end of a client.
func (d *distro) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients--
	d.rest()
}

// rest starts the clock when there is no client.
func (d *distro) rest() {
	if d.vm.Idle == 0 || d.clients > 0 {
		return
	}
	if d.idle != nil {
		d.idle.Stop()
	}
	d.idle = time.AfterFunc(d.vm.Idle, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.clients == 0 {
			d.halt(0)
		}
	})
}

// memory puts v into a file without a name, for a process to be started.
func memory(v any) (int, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return -1, err
	}
	fd, err := unix.MemfdCreate("settings", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("make settings: %w", err)
	}
	if _, err := unix.Pwrite(fd, body, 0); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("write settings: %w", err)
	}
	return fd, nil
}

// recall reads what memory wrote, and closes the file.
func recall(fd int, v any) error {
	f := os.NewFile(uintptr(fd), "settings")
	defer f.Close()
	if _, err := f.Seek(0, 0); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	return json.NewDecoder(f).Decode(v)
}
