package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A daemon is a long-lived child process of ours.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startDaemon starts cmd so that it gets the signal last when this process
// ends in any way, kill -9 included. The kernel sends that signal when the
// starting *thread* ends (prctl(2), PR_SET_PDEATHSIG), so one goroutine keeps
// its thread from the start to the child's end. A group of its own keeps the
// terminal's Ctrl-C away: who ends the tests that way still gets the signal.
func startDaemon(cmd *exec.Cmd, last syscall.Signal) (*daemon, error) {
	d := &daemon{cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: last}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in cmd.ProcessState
			close(d.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	return d, nil
}

// stop asks with a signal, and kills what has not ended after the grace.
func (d *daemon) stop(ask syscall.Signal, grace time.Duration) {
	_ = d.cmd.Process.Signal(ask) // an error means that it has ended
	select {
	case <-d.done:
	case <-time.After(grace):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
}

// A process is one that runs on this machine.
type process struct {
	pid  int
	args []string
	env  []string
}

// processes are those that keep tells. Zombies have neither arguments nor
// environment, so what is dead and not yet reaped does not count.
func processes(keep func(process) bool) []process {
	var found []process
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p := process{pid: pid, args: strings0(pid, "cmdline"), env: strings0(pid, "environ")}
		if len(p.args) > 0 && keep(p) {
			found = append(found, p)
		}
	}
	return found
}

// ProcessesWith are the command lines of the processes that have such a variable, as "PID ARG ARG".
func ProcessesWith(variable string) []string {
	var list []string
	for _, p := range processes(func(p process) bool { return slices.Contains(p.env, variable) }) {
		list = append(list, fmt.Sprint(p.pid, " ", strings.Join(p.args, " ")))
	}
	return list
}

func strings0(pid int, name string) []string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name))
	if err != nil || len(b) == 0 {
		return nil // it has ended meanwhile
	}
	var list []string
	for s := range bytes.SplitSeq(bytes.TrimRight(b, "\x00"), []byte{0}) {
		list = append(list, string(s))
	}
	return list
}

// killAll kills what keep tells until nothing of it is left, or the time is up.
func killAll(keep func(process) bool, limit time.Duration) error {
	end := time.Now().Add(limit)
	for {
		left := processes(keep)
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("kill leftovers: process %d (%q) stays", left[0].pid, left[0].args)
		}
		for _, p := range left {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		time.Sleep(5 * time.Millisecond) // the kernel tells nobody of a stranger's end
	}
}
