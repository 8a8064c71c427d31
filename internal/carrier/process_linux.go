package carrier

import (
	"errors"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"
)

// pipeSize is the size of each pipe; four times the default. A pipe that holds more than one
// batch of the multiplexer lets both sides work at once: bulk goes half as fast again on 2
// cores. More than this would only be queued ahead of who has little to say.
const pipeSize = 256 << 10

// newPipe returns our end, which obeys deadlines and Close, and the child's.
func newPipe(toChild bool) (our, their *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	if raw, err := w.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { // refused to who has too many pipes: smaller ones do
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize)
		})
	}
	if toChild {
		return w, r, nil
	}
	return r, w, nil
}

// tree is a process and its group.
type tree struct {
	cmd *exec.Cmd
	pid int

	mu     sync.Mutex
	reaped bool // the number may belong to somebody else now
}

func startTree(cmd *exec.Cmd, _ []string) (*tree, error) {
	// A group of its own: one kill reaches all of it, and a terminal's Ctrl-C is ours only.
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &tree{cmd: cmd, pid: cmd.Process.Pid}, nil
}

// waitAndReap waits for the process, ends what it left in its group, and reaps it. Not the other
// way round: until it is reaped nobody else can get its number.
func (t *tree) waitAndReap() (exitCode int) {
	for unix.Waitid(unix.P_PID, t.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	unix.Kill(-t.pid, unix.SIGKILL)
	t.cmd.Wait()
	t.reaped = true
	return t.cmd.ProcessState.ExitCode()
}

func (t *tree) askToEnd(how asking) error {
	if how != politely {
		return errors.ErrUnsupported
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reaped {
		return os.ErrProcessDone
	}
	return unix.Kill(-t.pid, unix.SIGTERM)
}

func pressKeys(string, string) error { return errors.ErrUnsupported }

func (t *tree) killTree() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.reaped {
		unix.Kill(-t.pid, unix.SIGKILL)
	}
}
