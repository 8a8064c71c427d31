package wsl

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
)

// Kind is what a distro's root file system holds.
type Kind = plan.Kind

const (
	// Busybox is one static busybox with its links, and root: like docker-desktop.
	Busybox = plan.Busybox
	// Debian is the machine's own /usr, read-only, under an /etc of its own.
	Debian = plan.Debian
)

// Distro describes one distro.
type Distro struct {
	Name          string
	Default       bool
	Kind          Kind
	AutomountRoot string // "" means /mnt/; docker-desktop has /mnt/host/
	DockerGroup   bool   // whether there is a group docker; the user is in it
	User          string // the default user, uid 1000; "" means root
	Version       int    // of WSL: 0 means 2; 1 is listed, and nothing starts in it
	Stopped       bool   // it is there, and starts with its first launch
	Conf          string // more of its /etc/wsl.conf, which the stand-in writes and does not heed
}

// Options describe a VM.
type Options struct {
	Dir     string // everything the VM makes lies in here
	Program string // test/wsl/cmd/vm, built
	DriveC  string // directory to show as drive C; "" means none
	Local   string // directory of programs that come first on a Debian's PATH; "" means none
	Distros []Distro
	Idle    time.Duration // a distro stops so long after its last client has gone (WSL: 15 s); 0 means never
	Stderr  io.Writer     // where the VM complains; nil means nowhere
}

const (
	startTime = 20 * time.Second
	closeTime = 10 * time.Second
)

// VM is a running VM.
type VM struct {
	plan    plan.VM
	program string
	address string // ADDRESS/TOKEN

	stdin  io.Closer // the lifeline: the VM ends when it closes
	kill   context.CancelFunc
	ended  chan struct{} // closed when the VM has ended
	result error         // how it ended; read after ended
	close  sync.Once
}

// Start starts the VM's program, and returns when the distros run. The VM ends at Close, when ctx is done, or with this process.
func Start(ctx context.Context, o Options) (*VM, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("start VM: namespaces need root")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start VM: %w", err)
	}
	vm := &VM{plan: o.plan(dir), program: o.Program, ended: make(chan struct{})}
	if err := vm.start(ctx, o.Stderr); err != nil {
		return nil, fmt.Errorf("start VM: %w", err)
	}
	return vm, nil
}

// plan is what the VM is told, the default distro first.
func (o Options) plan(dir string) plan.VM {
	p := plan.VM{Dir: dir, DriveC: o.DriveC, Local: o.Local, Idle: o.Idle}
	for _, wanted := range []bool{true, false} {
		for _, d := range o.Distros {
			if d.Default != wanted {
				continue
			}
			p.Distros = append(p.Distros, d.plan())
		}
	}
	return p
}

// plan fills in what a test leaves out.
func (d Distro) plan() plan.Distro {
	return plan.Distro{
		Name: d.Name, Kind: d.Kind, DockerGroup: d.DockerGroup, User: d.User, Stopped: d.Stopped, Conf: d.Conf,
		AutomountRoot: cmp.Or(d.AutomountRoot, "/mnt/"), Version: cmp.Or(d.Version, 2),
	}
}

// start runs the program and waits for its word that it is ready.
func (vm *VM) start(ctx context.Context, stderr io.Writer) error {
	ctx, vm.kill = context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, vm.program)
	cmd.WaitDelay = time.Second
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:    syscall.SIGKILL,
		Unshareflags: syscall.CLONE_NEWNS, // its mounts are nobody else's
		Setpgid:      true,                // Ctrl-C in a terminal is for us, not for it
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	vm.stdin = stdin
	started := make(chan error)
	go vm.own(cmd, started)
	if err := <-started; err != nil {
		return err
	}
	ready := make(chan string, 1)
	go func() { // ends with the VM's standard output
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- strings.TrimSpace(line)
	}()
	if err := json.NewEncoder(stdin).Encode(vm.plan); err != nil {
		return errors.Join(err, vm.Close())
	}
	select {
	case vm.address = <-ready:
	case <-time.After(startTime):
	case <-ctx.Done():
	}
	if vm.address == "" {
		return errors.Join(errors.New("the VM did not come up, see its standard error"), vm.Close())
	}
	return nil
}

// own starts the program and waits for it, in a thread that lives as long: the
// parent-death signal comes when the thread that forked dies (golang/go#27505).
func (vm *VM) own(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(vm.ended)
	err := cmd.Start()
	started <- err
	if err == nil {
		vm.result = cmd.Wait()
	}
}

// Close ends the VM with every process in its distros, and waits for that.
func (vm *VM) Close() error {
	vm.close.Do(func() {
		vm.stdin.Close()
		select {
		case <-vm.ended:
		case <-time.After(closeTime):
			vm.kill()
			<-vm.ended
		}
		vm.kill()
	})
	<-vm.ended
	if vm.result != nil {
		return fmt.Errorf("close VM: %w", vm.result)
	}
	return nil
}

// Env is what the stand-in wsl.exe needs in its environment to find this VM.
func (vm *VM) Env() []string { return []string{"WSL_STANDIN=" + vm.address} }

// Command runs a program inside a distro with plain standard files, without
// wsl.exe and its relay. Its environment is Env plus what the user has anyway; it
// starts in the user's home; it dies when the command is killed.
func (vm *VM) Command(ctx context.Context, distro, user string, argv ...string) *exec.Cmd {
	args := append([]string{"enter", vm.pidFile(distro), distro, user}, argv...)
	cmd := exec.CommandContext(ctx, vm.program, args...)
	cmd.Env = []string{} // none of ours
	return cmd
}

// Path is how a file of a running distro is reached from outside.
func (vm *VM) Path(distro, p string) string {
	pid, err := os.ReadFile(vm.pidFile(distro))
	if err != nil {
		pid = []byte("stopped") // no such process: whoever opens it gets a plain error
	}
	return filepath.Join("/proc", string(pid), "root", p)
}

func (vm *VM) pidFile(distro string) string {
	for _, d := range vm.plan.Distros {
		if strings.EqualFold(d.Name, distro) {
			return d.PidFile(vm.plan.Dir)
		}
	}
	return filepath.Join(vm.plan.Dir, "no-such-distro")
}
