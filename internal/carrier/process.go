package carrier

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// closeGrace is for a process that was told to go in-band and is on its way.
	closeGrace = 500 * time.Millisecond
	// stdinGrace is for a process that learns from the end of its stdin.
	stdinGrace = time.Second
	// killGrace bounds the wait for the kernel; only a process stuck in a driver needs it.
	killGrace = 5 * time.Second
	// lastWords bounds the wait for the end of stderr once the process has ended: what
	// outlives wsl.exe may hold its handles (wslhost.exe inherits them), and who takes its
	// stderr may stand still.
	lastWords = 500 * time.Millisecond
	// keptStderr is how much of the end of stderr is kept.
	keptStderr = 32 << 10
)

// Command says what to start.
type Command struct {
	Path string
	Args []string // without argv[0]
	Env  []string // NAME=value, added to our own environment or replacing what is there
	Dir  string   // empty: our own

	// Stderr gets what the program writes to its stderr, besides the end of it that is
	// kept. It is the bytes of others as they come, not fit for a terminal. A Write that
	// blocks holds the program up, but not its end; one that fails is the last.
	Stderr io.Writer

	// Asker is the beginning of a command that calls PressKeys with its last two arguments, for
	// Ask on Windows: only a program at the same console can press keys there, and a process has
	// one console.
	Asker []string
}

// Process is a running program whose stdout is read and whose stdin is written.
// Its stderr is always drained, so that it can't block the program.
//
// One Read and one Write may run at the same time, and Close at any time.
type Process struct {
	stdin, stdout, stderr *os.File // our ends
	tree                  *tree
	words                 *ring

	done     chan struct{}
	exitCode int           // valid after done
	quiet    chan struct{} // stderr has ended

	reading   sync.Mutex // held by Read, so that Close can take stdout over
	deadlines sync.Mutex // held to set one, so that none undoes Close's
	closing   atomic.Bool
	closeOnce sync.Once
	closeErr  error
}

// Start runs c with three pipes of its own as stdio and no other handle of ours.
//
// The program and what it starts die with us, even if we are killed: on Windows by a
// job object, on Linux by a parent-death signal to the program, whose children
// then see their pipes end.
func Start(c Command) (*Process, error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Dir = c.Dir
	p := &Process{
		words: newRing(keptStderr),
		done:  make(chan struct{}),
		quiet: make(chan struct{}),
	}
	theirs, err := p.makeStdioPipes(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	started := make(chan error)
	go p.runAndReap(cmd, c.Asker, started)
	err = <-started
	closeAllFiles(theirs)
	if err != nil {
		closeAllFiles([]*os.File{p.stdin, p.stdout, p.stderr})
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	go p.drainStderr(c.Stderr)
	return p, nil
}

// makeStdioPipes makes the three pipes and returns the ends that belong to the child.
func (p *Process) makeStdioPipes(cmd *exec.Cmd) (theirs []*os.File, err error) {
	var ours []*os.File
	for _, toChild := range []bool{true, false, false} {
		our, their, err := newPipe(toChild)
		if err != nil {
			closeAllFiles(ours)
			closeAllFiles(theirs)
			return nil, err
		}
		ours, theirs = append(ours, our), append(theirs, their)
	}
	p.stdin, p.stdout, p.stderr = ours[0], ours[1], ours[2]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs[0], theirs[1], theirs[2]
	return theirs, nil
}

// PrivateAccess is an access list of a Windows pipe, in SDDL, that is closed to inheritance (P) and to
// all but a user and the system.
func PrivateAccess(sid string) string { return "O:" + sid + "D:P(A;;GA;;;" + sid + ")(A;;GA;;;SY)" }

func closeAllFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// runAndReap starts the process, waits for its end and reaps it, all on one thread: on Linux
// the parent-death signal is sent when the *thread* that started the child
// ends (golang/go#27505), and a thread blocked in a wait does not.
func (p *Process) runAndReap(cmd *exec.Cmd, asker []string, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var err error
	p.tree, err = startTree(cmd, asker)
	started <- err
	if err != nil {
		return
	}
	p.exitCode = p.tree.waitAndReap()
	p.awaitQuietOutput()
	close(p.done)
}

// drainStderr drains stderr until it ends or Close shuts it.
func (p *Process) drainStderr(live io.Writer) {
	defer close(p.quiet)
	if live != nil {
		io.Copy(io.MultiWriter(p.words, live), p.stderr)
	}
	io.Copy(p.words, p.stderr) // the rest, or all
}

// Read reads the program's stdout. After its end, what is still in the pipe can be
// read, then io.EOF follows. Only something that left the program's group or job
// and still holds the pipe can delay that end; watch Done as well.
func (p *Process) Read(b []byte) (int, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	if p.closing.Load() {
		return 0, nameError("read", os.ErrClosed, true)
	}
	n, err := p.stdout.Read(b)
	return n, nameError("read", err, p.closing.Load())
}

// Write writes to the program's stdin. An empty slice is not passed on: on Windows a
// zero-byte write to a pipe is a zero-byte read at the other end, which wsl.exe
// takes for the end of stdin (microsoft/WSL, src/windows/common/relay.cpp).
func (p *Process) Write(b []byte) (int, error) {
	if p.closing.Load() {
		return 0, nameError("write", os.ErrClosed, true)
	}
	if len(b) == 0 {
		return 0, nil
	}
	n, err := p.stdin.Write(b)
	return n, nameError("write", err, p.closing.Load())
}

// CloseWrite ends the program's stdin and keeps its stdout. Bytes that it has not read yet
// stay in the pipe for it. Not for wsl.exe: CloseAfter says why.
func (p *Process) CloseWrite() error {
	return nameError("close stdin of", p.stdin.Close(), p.closing.Load())
}

// SetReadDeadline makes reads fail with os.ErrDeadlineExceeded from t on; the zero time
// means never. Once Close was called it has no effect.
func (p *Process) SetReadDeadline(t time.Time) error {
	p.deadlines.Lock()
	defer p.deadlines.Unlock()
	if p.closing.Load() {
		return nameError("set deadline of", os.ErrClosed, true)
	}
	return nameError("set deadline of", p.stdout.SetReadDeadline(t), false)
}

// SetWriteDeadline does the same for writes.
func (p *Process) SetWriteDeadline(t time.Time) error {
	p.deadlines.Lock()
	defer p.deadlines.Unlock()
	if p.closing.Load() {
		return nameError("set deadline of", os.ErrClosed, true)
	}
	return nameError("set deadline of", p.stdin.SetWriteDeadline(t), false)
}

// Stderr returns the last 32 KiB the program wrote to stderr. It is complete once Done
// is closed, but for what a process that outlived the program still writes.
func (p *Process) Stderr() []byte { return p.words.lastBytes() }

// Done is closed when the program itself has ended, whatever still holds its pipes.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is the program's exit code, valid once Done is closed. On Windows it is the
// unsigned 32-bit value (wsl.exe's -1 is 4294967295); on Linux -1 says a signal.
func (p *Process) ExitCode() int { return p.exitCode }

// Close is CloseAfter with a grace of half a second.
func (p *Process) Close() error { return p.CloseAfter(closeGrace) }

// CloseAfter ends the program and frees what it held. Blocked reads and writes return at
// once with os.ErrClosed; the rest is a ladder, left as soon as the program has ended:
//
//  1. wait for grace: a program that was told to go in-band needs no push. Closing
//     stdin first would be wrong: with some WSL kernels that end arrives as an
//     I/O error and costs the session its last output (microsoft/WSL#40184);
//  2. close its stdin and wait for a second;
//  3. kill it with everything in its group or job, and wait for at most 5 s.
//
// All the while its stdout and stderr are read and dropped: wsl.exe does not end before
// both are drained. An error says that the program is still there after all this.
// Later and concurrent calls wait for the first one and return what it returned.
func (p *Process) CloseAfter(grace time.Duration) error {
	p.closeOnce.Do(func() {
		p.interruptIO()
		dropped := make(chan struct{})
		go func() {
			defer close(dropped)
			io.Copy(io.Discard, p.stdout)
		}()
		p.closeErr = p.endWithinGrace(grace)
		closeAllFiles([]*os.File{p.stdin, p.stdout, p.stderr})
		<-dropped
		p.awaitQuietOutput()
	})
	return p.closeErr
}

func (p *Process) awaitQuietOutput() {
	select {
	case <-p.quiet:
	case <-time.After(lastWords):
	}
}

// interruptIO sends readers and writers home and takes stdout over from them.
func (p *Process) interruptIO() {
	past := time.Unix(1, 0)
	p.deadlines.Lock()
	p.closing.Store(true)
	p.stdin.SetWriteDeadline(past)
	p.stdout.SetReadDeadline(past)
	p.deadlines.Unlock()
	p.reading.Lock()
	defer p.reading.Unlock()
	p.stdout.SetReadDeadline(time.Time{})
}

func (p *Process) endWithinGrace(grace time.Duration) error {
	if p.endsWithin(grace) {
		return nil
	}
	p.stdin.Close()
	if p.endsWithin(stdinGrace) {
		return nil
	}
	p.tree.killTree()
	if p.endsWithin(killGrace) {
		return nil
	}
	return fmt.Errorf("close carrier: process %d is still there %v after it was killed", p.tree.pid, killGrace)
}

func (p *Process) endsWithin(d time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(d):
		return false
	}
}
