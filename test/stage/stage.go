//go:build linux

// Package stage puts the parts of the testbed together: a Windows (Wine) with
// a real dockerd behind its named pipes, a VM with distros, and the bridge
// between them. The end-to-end tests and the demo play on it.
//
// It knows which parts there are and how they find each other, not what is
// proved with them. Law: Close leaves no process and no file behind.
package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// The distros.
const (
	Debian        = "Debian"         // the default one; a group docker, and User in it
	DockerDesktop = "docker-desktop" // busybox only, root only, drive C at /mnt/host/c
	Plain         = "Plain"          // busybox with User, and no group docker
	User          = "alice"
)

// EnginePipe is the pipe with dockerd behind it.
const EnginePipe = "docker_engine"

// Parts are what this needs of the machine.
var Parts = []lab.Part{
	lab.PartRoot, lab.PartWine, lab.PartDockerd, lab.PartDocker, lab.PartBusybox,
}

// Stage is the whole testbed, running.
type Stage struct {
	Docker *lab.Docker
	Engine *Engine // that dockerd and its pipe
	Wine   *lab.Wine
	VM     *wsl.VM

	// Where the product's half beside the engine is a Linux program, which starts a Linux wsl.exe
	// and reaches the engine at its unix socket: Windows takes no part in it.
	OnLinux bool

	dir     string
	native  string // directory with a Linux wsl.exe in it
	distro  string // where clients are
	closers []func() error
}

// Open starts everything but the bridge, with all files below dir, and tells
// progress on out.
func Open(ctx context.Context, dir string, out io.Writer) (_ *Stage, err error) {
	s := &Stage{dir: dir, distro: Debian}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, step := range []struct {
		says string
		do   func(context.Context) error
	}{
		{"building the programs", s.build},
		{"starting Windows (Wine)", s.openWine},
		{"starting dockerd, and the engine's named pipe in front of it", s.startEngine},
		{"starting the distros", s.startVM},
	} {
		fmt.Fprintf(out, "%s ...\n", step.says)
		if err := step.do(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close ends everything, last first.
func (s *Stage) Close() error {
	var err error
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	s.closers = nil
	for _, dir := range []string{"native", "vm", "state"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, dir)))
	}
	return err
}

func (s *Stage) onClose(f func() error) { s.closers = append(s.closers, f) }

// build sees to the product, as a release is made, and the stand-in wsl.exe.
func (s *Stage) build(ctx context.Context) error {
	if _, err := lab.Product(ctx, "windows"); err != nil {
		return err
	}
	s.native = filepath.Join(s.dir, "native")
	return lab.BuildAt(ctx, "linux", "./test/wsl/cmd/wsl", filepath.Join(s.native, "wsl.exe"))
}

func (s *Stage) openWine(ctx context.Context) (err error) {
	if s.Wine, err = lab.OpenWine(ctx, s.dir); err != nil {
		return err
	}
	s.onClose(s.Wine.Close)
	// Where the installed WSL has it.
	place := filepath.Join(s.Wine.DriveC(), "Program Files", "WSL", "wsl.exe")
	return lab.BuildAt(ctx, "windows", "./test/wsl/cmd/wsl", place)
}

func (s *Stage) startEngine(ctx context.Context) (err error) {
	if s.Engine, err = s.StartEngine(ctx, s.dir, EnginePipe); err != nil {
		return err
	}
	s.Docker = s.Engine.Docker
	s.onClose(s.Engine.Close)
	return nil
}

// Front puts further named pipes in front of engines.
func (s *Stage) Front(ctx context.Context, pipes map[string]string) error {
	f, err := s.Wine.StartFront(ctx, pipes)
	if err == nil {
		s.onClose(f.Close)
	}
	return err
}

func (s *Stage) startVM(ctx context.Context) (err error) {
	s.VM, err = s.startVMOf(ctx, wsl.Options{Dir: filepath.Join(s.dir, "vm"), Distros: []wsl.Distro{
		LikeDebian(Debian),
		{Name: DockerDesktop, Kind: wsl.Busybox, AutomountRoot: "/mnt/host/"},
		{Name: Plain, Kind: wsl.Busybox, User: User},
	}})
	if err != nil {
		return err
	}
	s.onClose(s.VM.Close)
	return s.register(ctx)
}

// register puts the distros into the registry, where WSL has them.
func (s *Stage) register(ctx context.Context) error {
	const name = "lxss.reg"
	file := filepath.Join(s.Wine.DriveC(), name)
	if err := os.WriteFile(file, s.VM.Registry(), 0o644); err != nil {
		return fmt.Errorf("register distros: %w", err)
	}
	defer os.Remove(file)
	if said, err := s.Wine.Command(ctx, "reg.exe", "import", `C:\`+name).CombinedOutput(); err != nil {
		return fmt.Errorf("register distros: %w\n%s", err, said)
	}
	return nil
}

func (s *Stage) startVMOf(ctx context.Context, o wsl.Options) (*wsl.VM, error) {
	program, err := lab.Build(ctx, "linux", "./test/wsl/cmd/vm")
	if err != nil {
		return nil, err
	}
	o.Program, o.DriveC, o.Stderr = program, s.Wine.DriveC(), os.Stderr
	o.Local = lab.EngineDir()
	return wsl.Start(context.WithoutCancel(ctx), o)
}

// LikeDebian is a default distro of that name with what most have.
func LikeDebian(name string) wsl.Distro {
	return wsl.Distro{Name: name, Default: true, Kind: wsl.Debian, DockerGroup: true, User: User}
}

// WithVM is the same stage with another VM, of which o says the directory, the
// distros and the idle time; clients are in its first distro. What happens to the
// one VM does not happen to the other. Close the VM before the stage.
func (s *Stage) WithVM(ctx context.Context, o wsl.Options) (*Stage, error) {
	vm, err := s.startVMOf(ctx, o)
	if err != nil {
		return nil, err
	}
	other := &Stage{Docker: s.Docker, Engine: s.Engine, Wine: s.Wine, VM: vm, OnLinux: s.OnLinux, dir: s.dir, native: s.native}
	if len(o.Distros) > 0 {
		other.distro = o.Distros[0].Name
	}
	return other, nil
}

// AllOnLinux is the same stage with the product as a Linux program on both sides. It is closed by the other.
func (s *Stage) AllOnLinux() *Stage {
	return &Stage{Docker: s.Docker, Engine: s.Engine, Wine: s.Wine, VM: s.VM, OnLinux: true, dir: s.dir, native: s.native, distro: s.distro}
}

// Client is a program in the default distro, run by its user.
func (s *Stage) Client(ctx context.Context, argv ...string) *exec.Cmd {
	return s.VM.Command(ctx, s.distro, User, argv...)
}

// ShowDriveC is ShowDriveAs in the usual shape, 9p.
func (s *Stage) ShowDriveC(ctx context.Context) error { return s.ShowDriveAs(ctx, wsl.Plan9) }

// ShowDriveAs lets the agents of the default distro see drive C as WSL mounts it. The test's machine has no such file
// system, so a list of mounts is put in the place of theirs; it goes with them.
func (s *Stage) ShowDriveAs(ctx context.Context, shape wsl.Shape) error {
	list, links := wsl.DriveC(shape)
	script := "mkdir -p " + wsl.VirtioLinks + "\n"
	for name, directory := range links {
		script += fmt.Sprintf("ln -sfn '%s' %s/%s\n", directory, wsl.VirtioLinks, name)
	}
	if err := os.WriteFile(s.VM.Path(s.distro, "/tmp/mountinfo"), []byte(list), 0o644); err != nil {
		return fmt.Errorf("show drive C: %w", err)
	}
	script += `for p in /proc/[0-9]*; do
		case $(readlink $p/exe) in /run/docker-wsl-bridge/agent-*) mount --bind /tmp/mountinfo $p/mountinfo && n=1;; esac
	done; [ $n ]`
	if out, err := s.VM.Command(ctx, s.distro, "root", "/bin/sh", "-c", script).CombinedOutput(); err != nil {
		return fmt.Errorf("show drive C: %w: %s", err, out)
	}
	return nil
}

// WSL is wsl.exe, as somebody else uses it.
func (s *Stage) WSL(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.native, "wsl.exe"), args...)
	cmd.Env = append(os.Environ(), s.VM.Env()...)
	return cmd
}

// WindowsExe is the product's Windows program.
func WindowsExe() string {
	return filepath.Join(lab.Root(), "build", "windows-amd64", "docker-wsl-bridge.exe")
}

// WindowsGUIExe is the same without a console, which is what starts at logon.
func WindowsGUIExe() string {
	return filepath.Join(filepath.Dir(WindowsExe()), "docker-wsl-bridgew.exe")
}

// Windows is the product as a program of the Windows here.
func (s *Stage) Windows(ctx context.Context, args ...string) *exec.Cmd {
	cmd := s.Wine.Command(ctx, WindowsExe(), args...)
	cmd.Env = append(cmd.Env, s.VM.Env()...)
	return cmd
}

// Administrator is Windows with an administrator's rights.
func (s *Stage) Administrator(ctx context.Context, args ...string) *exec.Cmd {
	cmd := s.Wine.Administrator(ctx, WindowsExe(), args...)
	cmd.Env = append(cmd.Env, s.VM.Env()...)
	return cmd
}

// Host is the product beside the engine, as this stage has it.
func (s *Stage) Host(ctx context.Context, args ...string) *exec.Cmd {
	if s.OnLinux {
		return s.Linux(ctx, args...)
	}
	return s.Windows(ctx, args...)
}

// EngineAt is where Host finds the engine, in the words of --pipe.
func (s *Stage) EngineAt() string {
	if s.OnLinux {
		return "unix:" + s.Docker.Socket
	}
	return EnginePipe
}

// HostProcesses are the command lines of the programs on Host's side, as "PID ARG ARG".
func (s *Stage) HostProcesses() []string {
	if s.OnLinux {
		return lab.ProcessesWith("DWB_STAGE=" + s.dir)
	}
	return s.Wine.Processes()
}

// StateFiles are the files below the product's directory for state, on Host's side, that match a pattern.
func (s *Stage) StateFiles(pattern string) []string {
	state := filepath.Join(s.Wine.DriveC(), "users", "*", "AppData", "Local")
	if s.OnLinux {
		state = filepath.Join(s.dir, "state")
	}
	list, _ := filepath.Glob(filepath.Join(state, "docker-wsl-bridge", pattern)) // an error is a wrong pattern
	return list
}

// Native is the directory with a Linux wsl.exe in it.
func (s *Stage) Native() string { return s.native }

// Linux is the product as a Linux program with a Linux wsl.exe on its PATH.
func (s *Stage) Linux(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(lab.Root(), "build", "linux-amd64", "docker-wsl-bridge"), args...)
	cmd.Env = append(append(os.Environ(), s.VM.Env()...), "PATH="+s.native+":"+os.Getenv("PATH"), "XDG_STATE_HOME="+filepath.Join(s.dir, "state"), "DWB_STAGE="+s.dir)
	return cmd
}
