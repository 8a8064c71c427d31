package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// What init finds open when it starts.
const (
	initChannel  = 3 // launches come in here
	initSettings = 4
)

// bootDone is init's report that the distro stands.
const bootDone = "booted"

// bootPlan is what init needs to know.
type bootPlan struct {
	VM     plan.VM
	Distro plan.Distro
}

// guestLaunch is a launch as the distro sees it.
type guestLaunch struct {
	wire.Launch
	Distro       string
	DefaultUser  string // of the distro, for a launch that names none
	Dir          string // Launch.Cwd in the distro's own terms
	Untranslated bool   // there is none: a warning, and the home directory
	Interop      string // path of the interop socket, set by the relay
}

// runInit is process 1 of a distro: it builds the root, starts a relay for each
// launch, and reaps what others leave.
func runInit() error {
	var b bootPlan
	unix.CloseOnExec(initChannel)
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie init to the service: %w", err)
	}
	if err := recall(initSettings, &b); err != nil {
		return err
	}
	err := raise(b)
	if err != nil {
		unix.Write(initChannel, []byte(err.Error()))
		return err
	}
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go reap(children) // for ever: init ends by being killed
	if _, err := unix.Write(initChannel, []byte(bootDone)); err != nil {
		return fmt.Errorf("report boot: %w", err)
	}
	for {
		if err := receiveLaunch(); err != nil {
			return err
		}
	}
}

// raise makes the distro's world.
func raise(b bootPlan) error {
	if err := unix.Sethostname([]byte(hostName)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	if err := buildRoot(b.VM, b.Distro, b.Distro.Root(b.VM.Dir)); err != nil {
		return err
	}
	return os.Mkdir("/run/WSL", 0o777)
}

// reap collects every process that ends as a child of init: relays, and the
// orphans they leave. Nothing else in here waits for a process.
func reap(children <-chan os.Signal) {
	for range children {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.EINTR {
				continue
			}
			if pid <= 0 {
				break
			}
		}
	}
}

// receiveLaunch takes one launch and starts its relay.
func receiveLaunch() error {
	body := make([]byte, 1<<20)
	rights := make([]byte, unix.CmsgSpace(wire.Conns*4))
	n, oobn, _, _, err := unix.Recvmsg(initChannel, body, rights, unix.MSG_CMSG_CLOEXEC)
	if err == unix.EINTR {
		return nil
	}
	if err != nil || n == 0 {
		return fmt.Errorf("receive launch: channel closed (%w)", err)
	}
	sockets, err := parseRights(rights[:oobn])
	if err != nil {
		return err
	}
	defer func() {
		for _, fd := range sockets {
			unix.Close(fd)
		}
	}()
	var l guestLaunch
	if err := json.Unmarshal(body[:n], &l); err != nil {
		return fmt.Errorf("decode launch: %w", err)
	}
	settings, err := memory(l)
	if err != nil {
		return err
	}
	defer unix.Close(settings)
	files := []uintptr{0, 1, 2}
	for _, fd := range append(sockets, settings) {
		files = append(files, uintptr(fd))
	}
	_, err = syscall.ForkExec(self, []string{"Relay", partRelay}, &syscall.ProcAttr{Dir: "/", Files: files, Env: []string{}})
	if err != nil {
		return fmt.Errorf("start relay: %w", err)
	}
	return nil
}

func parseRights(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("receive sockets: %d messages (%w)", len(messages), err)
	}
	return unix.ParseUnixRights(&messages[0])
}
