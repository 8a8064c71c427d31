package carrier

import (
	"crypto/rand"
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
	newborn
	asker []string

	mu  sync.Mutex
	job windows.Handle // 0: closed, and the process with it
}

// startTree starts cmd without a window, in a job that dies with us.
func startTree(cmd *exec.Cmd, asker []string) (*tree, error) {
	// Its own hidden console, not ours: wsl.exe changes the mode and the code page of the
	// console it finds even when its stdio are pipes, and Ctrl-C is for us alone.
	b, err := bornFrom(cmd, windows.CREATE_NO_WINDOW)
	if err != nil {
		return nil, err
	}
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	n, err := b.startInJob(job)
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	return &tree{newborn: n, asker: asker, job: job}, nil
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

// waitAndReap waits for the process and closes its job, which ends what is left in it.
func (t *tree) waitAndReap() (exitCode int) {
	code, err := t.awaitExitCode()
	t.mu.Lock()
	defer t.mu.Unlock()
	windows.CloseHandle(t.job)
	windows.CloseHandle(t.handle)
	t.job = 0
	if err != nil {
		return -1
	}
	return int(code)
}

// holdProcess has the process' number stay its own until release.
func (t *tree) holdProcess() (release func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job == 0 {
		return nil, os.ErrProcessDone
	}
	var h windows.Handle
	own := windows.CurrentProcess()
	if err := windows.DuplicateHandle(own, t.handle, own, &h, 0, false, windows.DUPLICATE_SAME_ACCESS); err != nil {
		return nil, err
	}
	return func() { windows.CloseHandle(h) }, nil
}

func (t *tree) killTree() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		windows.TerminateJobObject(t.job, 1)
	}
}
