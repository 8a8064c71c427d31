package carrier

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// pipeBuffer is the size of each pipe. CreatePipe's default of 4 KiB makes every larger
// write wait for its reader.
const pipeBuffer = 64 << 10

// newPipe returns our end, which obeys deadlines and Close, and the child's.
//
// An anonymous pipe won't do: it has no overlapped I/O, so os.File.Close can only cancel
// a read that is already inside the system call, and one that is about to enter it
// blocks for ever, Close with it. So our end is the server of a named pipe with overlapped I/O and
// the child's end a client without, as programs expect of their stdio.
//
// Names of pipes can be listed, and by default everybody may read: enough to take the one place
// of a client before we do. So it is open to our own user alone; should another program of
// that user be quicker, our own open fails and nothing has been written yet.
func newPipe(toChild bool) (our, their *os.File, err error) {
	name, err := windows.UTF16PtrFromString(`\\.\pipe\docker-wsl-bridge-` + rand.Text())
	if err != nil {
		return nil, nil, err
	}
	access, err := privateAttributes()
	if err != nil {
		return nil, nil, fmt.Errorf("create pipe: %w", err)
	}
	ourAccess, theirAccess := uint32(windows.PIPE_ACCESS_INBOUND), uint32(windows.GENERIC_WRITE)
	if toChild {
		ourAccess, theirAccess = windows.PIPE_ACCESS_OUTBOUND, windows.GENERIC_READ
	}
	server, err := windows.CreateNamedPipe(name,
		ourAccess|windows.FILE_FLAG_OVERLAPPED|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_TYPE_BYTE|windows.PIPE_REJECT_REMOTE_CLIENTS,
		1, pipeBuffer, pipeBuffer, 0, access)
	if err != nil {
		return nil, nil, fmt.Errorf("create pipe: %w", err)
	}
	client, err := windows.CreateFile(name, theirAccess, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		windows.CloseHandle(server)
		return nil, nil, fmt.Errorf("open pipe: %w", err)
	}
	return os.NewFile(uintptr(server), "carrier"), os.NewFile(uintptr(client), "carrier"), nil
}

// OwnSID is the security identifier of the user that we run as.
func OwnSID() (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", err
	}
	return user.User.Sid.String(), nil
}

// privateAttributes are those of what is the user's alone.
func privateAttributes() (*windows.SecurityAttributes, error) {
	sid, err := OwnSID()
	if err != nil {
		return nil, err
	}
	sd, err := windows.SecurityDescriptorFromString(PrivateAccess(sid))
	if err != nil {
		return nil, err
	}
	return &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}, nil
}

// tree is a process and the job that it and its descendants live in.
type tree struct {
	cmd   *exec.Cmd
	pid   int
	asker []string

	mu  sync.Mutex
	job windows.Handle // 0: closed
}

// startTree starts cmd without a window and puts it into a job that dies with us.
//
// What the process starts before it is in the job stays outside. That gap of some
// microseconds is accepted: wsl.exe has to reach its service before it starts
// anything, and a process created suspended would stay for ever if we died in the gap.
func startTree(cmd *exec.Cmd, asker []string) (*tree, error) {
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	// Its own hidden console, not ours: wsl.exe changes the mode and the code page of the
	// console it finds even when its stdio are pipes, and Ctrl-C is for us alone.
	cmd.SysProcAttr = &windows.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
	err = cmd.Start()
	if errors.Is(err, windows.ERROR_INTERNAL_ERROR) {
		// It has died before its first instruction, which was seen under Wine on a busy machine:
		// nothing has happened yet.
		cmd = &exec.Cmd{
			Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir,
			Stdin: cmd.Stdin, Stdout: cmd.Stdout, Stderr: cmd.Stderr, SysProcAttr: cmd.SysProcAttr,
		}
		err = cmd.Start()
	}
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	t := &tree{cmd: cmd, pid: cmd.Process.Pid, asker: asker, job: job}
	if err := t.enterJob(); err != nil {
		cmd.Process.Kill()
		t.wait()
		return nil, err
	}
	return t, nil
}

func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, fmt.Errorf("create job: %w", err)
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, fmt.Errorf("limit job: %w", err)
	}
	return job, nil
}

// enterJob assigns the process to the job. A process that has ended already can't be
// assigned and need not be.
func (t *tree) enterJob() error {
	var assign error
	err := t.cmd.Process.WithHandle(func(h uintptr) {
		assign = windows.AssignProcessToJobObject(t.job, windows.Handle(h))
		if assign == nil {
			return
		}
		if ended, _ := windows.WaitForSingleObject(windows.Handle(h), 0); ended == windows.WAIT_OBJECT_0 {
			assign = nil
		}
	})
	if err == nil {
		err = assign
	}
	if err != nil {
		return fmt.Errorf("assign to job: %w", err)
	}
	return nil
}

// wait waits for the process and closes its job, which ends what is left in it.
func (t *tree) wait() (exitCode int) {
	t.cmd.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	windows.CloseHandle(t.job)
	t.job = 0
	return t.cmd.ProcessState.ExitCode()
}

func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		windows.TerminateJobObject(t.job, 1)
	}
}
