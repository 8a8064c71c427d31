package carrier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobList is PROC_THREAD_ATTRIBUTE_JOB_LIST: the process is born in the job. Nothing that it starts is
// outside, and no moment is left in which we could die and leave it, as there would be before it is assigned
// to one.
const jobList = 0x0002000D

// birth says what to start. Every process of ours is started so, however short it lives.
type birth struct {
	path  string // empty: the first word of line
	line  string
	env   []string // nil: our own
	dir   string   // empty: our own
	stdio []*os.File
	flags uint32
}

// newborn is a process that was started. Its handle keeps its number its own.
type newborn struct {
	handle windows.Handle
	pid    int
}

// bornFrom is what cmd would start, with what os/exec adds to it.
func bornFrom(cmd *exec.Cmd, flags uint32) (birth, error) {
	if cmd.Err != nil {
		return birth{}, cmd.Err
	}
	path, err := exec.LookPath(cmd.Path) // which knows that .exe may be missing
	if err != nil {
		path = cmd.Path // Windows says what is wrong with it, by number
	}
	words := make([]string, len(cmd.Args))
	for i, arg := range cmd.Args {
		words[i] = syscall.EscapeArg(arg)
	}
	b := birth{path: path, line: strings.Join(words, " "), env: cmd.Environ(), dir: cmd.Dir, flags: flags}
	for _, stdio := range []any{cmd.Stdin, cmd.Stdout, cmd.Stderr} {
		if f, is := stdio.(*os.File); is {
			b.stdio = append(b.stdio, f)
		}
	}
	return b, nil
}

// startInJob starts it in the job. One that dies before its first instruction, which was seen under Wine on a
// busy machine, is started once more: nothing has happened yet.
func (b birth) startInJob(job windows.Handle) (newborn, error) {
	n, err := b.startOnceInJob(job)
	if errors.Is(err, windows.ERROR_INTERNAL_ERROR) {
		n, err = b.startOnceInJob(job)
	}
	switch {
	case err != nil && b.path == "":
		return n, fmt.Errorf("start process: %w", err)
	case err != nil:
		return n, &os.PathError{Op: "start", Path: b.path, Err: err}
	}
	return n, nil
}

func (b birth) startOnceInJob(job windows.Handle) (n newborn, err error) {
	attributes, err := windows.NewProcThreadAttributeList(2)
	if err != nil {
		return n, err
	}
	defer attributes.Delete()
	if err := attributes.Update(jobList, unsafe.Pointer(&job), unsafe.Sizeof(job)); err != nil {
		return n, err
	}
	startup := &windows.StartupInfoEx{ProcThreadAttributeList: attributes.List()}
	startup.Cb = uint32(unsafe.Sizeof(*startup))
	inherited, err := inheritableCopies(b.stdio)
	defer closeHandles(inherited)
	if err != nil {
		return n, err
	}
	if len(inherited) == 3 {
		startup.Flags = windows.STARTF_USESTDHANDLES | windows.STARTF_USESHOWWINDOW // with SW_HIDE, which is 0
		startup.StdInput, startup.StdOutput, startup.StdErr = inherited[0], inherited[1], inherited[2]
		// And no other handle of ours.
		err := attributes.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&inherited[0]), 3*unsafe.Sizeof(inherited[0]))
		if err != nil {
			return n, err
		}
	}
	words, err := b.encodeForWindows()
	if err != nil {
		return n, err
	}
	var process windows.ProcessInformation
	flags := b.flags | windows.EXTENDED_STARTUPINFO_PRESENT | windows.CREATE_UNICODE_ENVIRONMENT
	err = windows.CreateProcess(words.path, words.line, nil, nil, len(inherited) > 0, flags, words.env, words.dir, &startup.StartupInfo, &process)
	runtime.KeepAlive(inherited)
	runtime.KeepAlive(&job)
	if err != nil {
		return n, err
	}
	windows.CloseHandle(process.Thread)
	return newborn{process.Process, int(process.ProcessId)}, nil
}

// birthWords are a birth's as CreateProcess takes them.
type birthWords struct{ path, line, env, dir *uint16 }

func (b birth) encodeForWindows() (w birthWords, err error) {
	for _, word := range []struct {
		text string
		to   **uint16
	}{{b.path, &w.path}, {b.line, &w.line}, {b.dir, &w.dir}} {
		if word.text == "" {
			continue
		}
		if *word.to, err = windows.UTF16PtrFromString(word.text); err != nil {
			return w, err
		}
	}
	if b.env != nil {
		var block []uint16
		for _, entry := range b.env {
			if strings.ContainsRune(entry, 0) {
				return w, windows.ERROR_INVALID_PARAMETER
			}
			block = append(append(block, utf16.Encode([]rune(entry))...), 0)
		}
		block = append(block, 0, 0)
		w.env = &block[0]
	}
	return w, nil
}

// inheritableCopies are copies of files that a child may have.
func inheritableCopies(files []*os.File) (handles []windows.Handle, err error) {
	own := windows.CurrentProcess()
	for _, f := range files {
		var h windows.Handle
		if err := windows.DuplicateHandle(own, windows.Handle(f.Fd()), own, &h, 0, true, windows.DUPLICATE_SAME_ACCESS); err != nil {
			return handles, err
		}
		handles = append(handles, h)
	}
	return handles, nil
}

func closeHandles(handles []windows.Handle) {
	for _, h := range handles {
		windows.CloseHandle(h)
	}
}

// awaitExitCode is its exit code once it has ended.
func (n newborn) awaitExitCode() (uint32, error) {
	if _, err := windows.WaitForSingleObject(n.handle, windows.INFINITE); err != nil {
		return 0, fmt.Errorf("wait for process: %w", err)
	}
	var code uint32
	if err := windows.GetExitCodeProcess(n.handle, &code); err != nil {
		return 0, fmt.Errorf("ask for exit code: %w", err)
	}
	return code, nil
}

// runToEnd runs it to its end, or to that of ctx, with all that it has started. started may be nil.
func (b birth) runToEnd(ctx context.Context, started func()) (uint32, error) {
	job, err := newJob()
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(job)
	n, err := b.startInJob(job)
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(n.handle)
	ended := context.AfterFunc(ctx, func() { windows.TerminateJobObject(job, 0) })
	defer ended()
	if started != nil {
		started()
	}
	return n.awaitExitCode()
}

// RunHidden runs a program to its end without a window or stdio of ours, and ends it with ctx. It dies with
// us. An exit code other than 0 is an error.
func RunHidden(ctx context.Context, path string, args ...string) error {
	return runHidden(ctx, windows.CREATE_NO_WINDOW, path, args)
}

func runHidden(ctx context.Context, flags uint32, path string, args []string) error {
	b, err := bornFrom(exec.Command(path, args...), flags)
	if err != nil {
		return err
	}
	code, err := b.runToEnd(ctx, nil)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case code != 0:
		return fmt.Errorf("exit status %d", code)
	}
	return nil
}
