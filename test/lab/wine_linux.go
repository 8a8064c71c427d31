package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Wine is a prefix of its own: a Windows with its own registry, pipe names and
// processes, which no other test sees.
type Wine struct {
	prefix string
	server *daemon
}

// OpenWine makes a prefix in dir, which must be there, and starts its Windows.
// A program then starts in it within 100 ms.
func OpenWine(ctx context.Context, dir string) (*Wine, error) {
	from, err := template(ctx)
	if err != nil {
		return nil, err
	}
	prefix, err := filepath.Abs(filepath.Join(dir, "wine"))
	if err != nil {
		return nil, fmt.Errorf("open wine: %w", err)
	}
	if err := os.Mkdir(prefix, 0o755); err != nil {
		return nil, fmt.Errorf("open wine: %w", err)
	}
	if err := copyTemplate(from, prefix); err != nil {
		return nil, err
	}
	return again(ctx, func() (*Wine, error) { return startWindows(ctx, prefix) })
}

// startWindows starts the prefix' server and its Windows. It leaves the files.
func startWindows(ctx context.Context, prefix string) (*Wine, error) {
	w, err := startServer(ctx, prefix)
	if err != nil {
		return nil, err
	}
	if err := w.firstProgram(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start windows in wine: %w", err), w.stop())
	}
	return w, nil
}

// firstProgram runs what starts services.exe and its like, which inherit its
// stdio and hold it open: let that be a program of ours. So its complaints go
// to a file, since a pipe would not end.
func (w *Wine) firstProgram(ctx context.Context) error {
	file := filepath.Join(w.prefix, "first-program.log")
	log, err := os.Create(file)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := w.Command(ctx, "cmd.exe", "/c", "exit")
	cmd.Stderr = log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(file)
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return nil
}

// startServer starts the prefix' wineserver as a child. A server started by
// the first program would belong to nobody, and would end Windows 1 to 5 s
// after each last program; this one stays (-p) and dies with us.
func startServer(ctx context.Context, prefix string) (*Wine, error) {
	if err := os.MkdirAll(prefix, 0o755); err != nil {
		return nil, fmt.Errorf("make wine prefix: %w", err)
	}
	server, err := serverProgram()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(server, "-f", "-p")
	cmd.Env = wineEnv(prefix)
	d, err := startDaemon(cmd, syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	w := &Wine{prefix: prefix, server: d}
	if err := w.awaitServer(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// awaitServer returns when programs will find the server; one that came
// earlier would start a second server.
func (w *Wine) awaitServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !listens(w.server.cmd.Process.Pid) {
		select {
		case <-w.server.done:
			return fmt.Errorf("start wineserver: it ended at once: %v", w.server.cmd.ProcessState)
		default:
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("start wineserver: %w", err)
		}
	}
	return nil
}

// listens tells whether a process has a listening unix socket. Where Wine puts
// it differs (/tmp/.wine-UID, on Debian /run/user/UID/wine or a random name in
// /tmp), so ask the kernel: fields 4 and 7 of /proc/net/unix are the flags
// (__SO_ACCEPTCON) and the inode, which /proc/PID/fd names too.
func listens(pid int) bool {
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return false
	}
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(fds)
	held := make(map[string]bool)
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil {
			held[target] = true
		}
	}
	for line := range strings.Lines(string(sockets)) {
		f := strings.Fields(line)
		if len(f) >= 7 && f[3] == "00010000" && held["socket:["+f[6]+"]"] {
			return true
		}
	}
	return false
}

// wineEnv is the whole environment of a Windows program: what this shell
// happens to have (DISPLAY, DOCKER_HOST) does not reach a test. The overrides
// stop wineboot from asking for Mono and Gecko and from writing menus, and Wine 10's
// programs from complaining on their stderr that there is no Wayland.
func wineEnv(prefix string) []string {
	env := []string{
		"WINEPREFIX=" + prefix,
		"WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe,winewayland.drv=d",
		"LC_ALL=C.UTF-8",    // Wine takes arguments apart by the locale
		"HOME=/nonexistent", // else C:\users\NAME gets links into it
		"PATH=" + os.Getenv("PATH"),
	}
	for _, name := range []string{"CI", "GOCOVERDIR", "GOTRACEBACK"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// Command is a Windows program: a path of this machine, or a name that Windows
// finds itself ("cmd.exe"). Its process here is the Windows process, so a kill
// is TerminateProcess and not more: programs that it started live on. Add to
// Env what the program needs; nothing of this process' environment is in it.
func (w *Wine) Command(ctx context.Context, exe string, args ...string) *exec.Cmd {
	wine, err := loader()
	cmd := exec.CommandContext(ctx, wine, append([]string{exe}, args...)...)
	cmd.Err = errors.Join(cmd.Err, err)
	cmd.Env = wineEnv(w.prefix)
	cmd.WaitDelay = 10 * time.Second // for a left-over that holds the pipes
	return cmd
}

// Administrator is Command for a program that has an administrator's rights, which Wine 10 gives to nothing
// by itself. A kill ends what passes them on, and leaves the program.
func (w *Wine) Administrator(ctx context.Context, exe string, args ...string) *exec.Cmd {
	as, err := Build(ctx, "windows", "./test/administrator")
	if strings.HasPrefix(exe, "/") {
		exe = "Z:" + strings.ReplaceAll(exe, "/", `\`)
	}
	cmd := w.Command(ctx, as, append([]string{exe}, args...)...)
	cmd.Err = errors.Join(cmd.Err, err)
	return cmd
}

// DriveC is the directory that is C:\ in the prefix.
func (w *Wine) DriveC() string { return filepath.Join(w.prefix, "drive_c") }

// own are the processes of Windows itself, and conhost, which comes and goes
// with programs that have a console.
var own = []string{
	"wineserver", "wineserver64", "services.exe", "explorer.exe", "winedevice.exe",
	"plugplay.exe", "svchost.exe", "rpcss.exe", "wineboot.exe", "conhost.exe",
}

// Processes are the command lines of the programs that run in the prefix, as
// "PID ARG ARG", without those of Windows itself.
func (w *Wine) Processes() []string {
	var list []string
	for _, p := range processes(w.holds) {
		name := base(p.args[0])
		if strings.HasPrefix(name, "wine") && len(p.args) > 1 && strings.Contains(p.args[1], `\`) {
			name = base(p.args[1]) // it has not taken its own name yet
		}
		if !slices.Contains(own, name) {
			list = append(list, fmt.Sprint(p.pid, " ", strings.Join(p.args, " ")))
		}
	}
	return list
}

func base(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

func (w *Wine) holds(p process) bool {
	return slices.Contains(p.env, "WINEPREFIX="+w.prefix)
}

// Close ends every program of the prefix and its Windows, waits for that, and
// removes the prefix.
func (w *Wine) Close() error {
	err := w.stop()
	if gone := os.RemoveAll(w.prefix); gone != nil {
		err = errors.Join(err, fmt.Errorf("remove wine prefix: %w", gone))
	}
	return err
}

// stop kills the programs, then has the server save the registry and end,
// which it does at SIGTERM within milliseconds. (wineserver -k sends SIGINT and
// leaves the killing to the server: half a second.)
func (w *Wine) stop() error {
	server := w.server.cmd.Process.Pid
	clients := func(p process) bool { return w.holds(p) && p.pid != server }
	err := killAll(clients, 10*time.Second)
	w.server.stop(syscall.SIGTERM, 5*time.Second)
	err = errors.Join(err, killAll(w.holds, 10*time.Second))
	// Without a /run/user/UID Debian's Wine puts its socket into a new
	// directory of /tmp, keeps the name in this file, and removes neither. A
	// copied prefix must not inherit it either.
	named := filepath.Join(w.prefix, "wineserver")
	if name, _ := os.ReadFile(named); strings.HasPrefix(string(name), "wine-") {
		_ = os.RemoveAll(filepath.Join("/tmp", filepath.Base(string(name))))
		_ = os.Remove(named)
	}
	return err
}
