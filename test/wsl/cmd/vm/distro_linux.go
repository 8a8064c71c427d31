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
	// launches goes to init: one message per launch, with its five sockets.
	launches int
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
	if err := awaitBoot(pair[0]); err != nil {
		unix.Close(pair[0])
		d.pid = 0
		return fmt.Errorf("boot %s: %w", d.Name, err)
	}
	d.launches = pair[0]
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
	unix.Close(d.launches)
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

// awaitBoot reads init's report: nothing but its end is a failure.
func awaitBoot(channel int) error {
	var b [512]byte
	n, err := unix.Read(channel, b[:])
	if err != nil {
		return err
	}
	if string(b[:n]) != bootDone {
		return errors.New("init ended: " + string(b[:n]))
	}
	return nil
}

// stop kills every process of the distro at once and returns when all are gone.
func (d *distro) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs() {
		unix.Kill(d.pid, unix.SIGKILL)
		<-d.gone
		d.forget()
	}
}

// launch hands a launch and its sockets to init.
func (d *distro) launch(l guestLaunch, sockets []int) error {
	if err := d.start(); err != nil {
		return err
	}
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := unix.Sendmsg(d.launches, body, unix.UnixRights(sockets...), nil, 0); err != nil {
		return fmt.Errorf("hand launch to init of %s: %w", d.Name, err)
	}
	return nil
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
