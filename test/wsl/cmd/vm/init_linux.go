package main

import (
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
	Faults       wire.Faults
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
	r := &relays{frozen: map[int]bool{}}
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go func() { // for ever; nothing else in here waits for a process' end
		for range children {
			r.reap()
		}
	}()
	if _, err := unix.Write(initChannel, []byte(bootDone)); err != nil {
		return fmt.Errorf("report boot: %w", err)
	}
	for {
		if err := r.obey(); err != nil {
			if err == errStopped {
				return nil
			}
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

func parseRights(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("receive sockets: %d messages (%w)", len(messages), err)
	}
	return unix.ParseUnixRights(&messages[0])
}
