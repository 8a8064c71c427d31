package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Docker is a real dockerd with an image of busybox. Its containers have no
// network (--network none): there is no bridge and no registry.
type Docker struct {
	Socket string // its unix socket
	TCP    string // HOST:PORT on loopback, for programs that have no unix sockets
	Image  string // what to run
	Log    string // the file it logs to; Close removes it

	dir    string // data and log
	run    string // sockets
	daemon *daemon
}

const (
	dockerStart = 3 * time.Minute
	dockerStop  = 20 * time.Second // it takes up to 15 s with open connections
)

// StartDocker starts a dockerd whose files lie in dir, and returns when it
// answers and has its image: within half a second.
func StartDocker(ctx context.Context, dir string) (*Docker, error) {
	ctx, cancel := context.WithTimeout(ctx, dockerStart)
	defer cancel()
	d, err := dockerIn(dir)
	if err != nil {
		return nil, fmt.Errorf("start dockerd: %w", err)
	}
	if _, err := again(ctx, func() (*Docker, error) { return d, d.startOrEnd(ctx) }); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.importImage(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// dockerIn lays out the directories. A socket's path has 107 bytes, containerd
// takes 38 of them below the exec root, and a test's directory can be long.
func dockerIn(parent string) (*Docker, error) {
	const longest = 60
	dir, err := filepath.Abs(filepath.Join(parent, "docker"))
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	run := dir
	if len(dir) > longest {
		if run, err = os.MkdirTemp("", "dockerd-"); err != nil {
			return nil, err
		}
	}
	return &Docker{
		Socket: filepath.Join(run, "docker.sock"),
		TCP:    "127.0.0.1:0",
		Image:  imageName + ":" + imageTag,
		Log:    filepath.Join(dir, "dockerd.log"),
		dir:    dir,
		run:    run,
	}, nil
}

// Start starts the daemon, anew after Stop, at the same addresses.
func (d *Docker) Start(ctx context.Context) error {
	cmd, err := d.command()
	if err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	listener, err := d.listen()
	if err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	defer listener.Close()
	log, err := os.OpenFile(d.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{listener}
	if d.daemon, err = startDaemon(cmd, syscall.SIGTERM); err != nil {
		return err
	}
	return d.awaitAnswer(ctx)
}

// startOrEnd leaves nothing of a daemon that does not come to answer.
func (d *Docker) startOrEnd(ctx context.Context) error {
	err := d.Start(ctx)
	if err != nil {
		err = errors.Join(err, d.Stop())
	}
	return err
}

// command hands the TCP listener over as systemd would (fd://), which saves
// the second (20.10; later versions take 15) that dockerd waits before it
// serves an address of its own without TLS, and the search for a free port.
// LISTEN_PID must be dockerd's own number, which only a shell before it knows.
func (d *Docker) command() (*exec.Cmd, error) {
	path, err := program("dockerd")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(d.dir, "daemon.json") // not the machine's
	if err := os.WriteFile(config, []byte("{}\n"), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, path,
		"--config-file", config, "--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.run, "exec"),
		"--pidfile", filepath.Join(d.run, "pid"), "-H", "unix://"+d.Socket, "-H", "fd://",
		"--iptables=false", "--bridge=none")
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "PATH="+enginePath())
	return cmd, nil
}

// enginePath is where dockerd looks for containerd, its shim and runc.
func enginePath() string {
	path := os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin"
	if dir := EngineDir(); dir != "" {
		path = dir + ":" + path
	}
	return path
}

// listen opens the daemon's TCP address. It is the daemon's alone afterwards:
// when it is down, connections are refused.
func (d *Docker) listen() (*os.File, error) {
	l, err := net.Listen("tcp", d.TCP)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	d.TCP = l.Addr().String()
	return l.(*net.TCPListener).File()
}

func (d *Docker) awaitAnswer(ctx context.Context) error {
	for {
		if _, err := d.ask(ctx, http.MethodGet, "/_ping", nil); err == nil {
			return nil
		}
		select {
		case <-d.daemon.done:
			said, _ := os.ReadFile(d.Log)
			return fmt.Errorf("start dockerd: it ended at once: %v\n%s", d.daemon.cmd.ProcessState, said[max(0, len(said)-4000):])
		default:
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("start dockerd: %w", err)
		}
	}
}

// ask makes one request over the unix socket.
func (d *Docker) ask(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	t := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", d.Socket)
		},
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s %s", method, path, resp.Status, said)
	}
	return said, err
}

// Command is the docker command straight at the daemon, to compare with. It
// does not see the machine's own configuration and contexts.
func (d *Docker) Command(ctx context.Context, args ...string) *exec.Cmd {
	path, err := program("docker")
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Err = errors.Join(cmd.Err, err)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "DOCKER_") }),
		"DOCKER_HOST=unix://"+d.Socket, "DOCKER_CONFIG="+filepath.Join(d.dir, "config"))
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// Stop ends the daemon and what it runs; the files stay for Start.
func (d *Docker) Stop() error {
	if d.daemon == nil {
		return nil
	}
	d.killContainers()
	d.daemon.stop(syscall.SIGTERM, dockerStop)
	return d.endLeftovers()
}

// endLeftovers ends what is left when the daemon had to be killed. containerd
// and the containers' shims name the directory in their arguments.
func (d *Docker) endLeftovers() error {
	for _, pid := range d.containerPids() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return killAll(func(p process) bool {
		return slices.ContainsFunc(p.args, func(arg string) bool { return strings.Contains(arg, d.run+"/exec") })
	}, 10*time.Second)
}

// killContainers spares the daemon the 10 s that it gives a container's
// process, which as process 1 is deaf to SIGTERM. Where it fails the daemon
// does it, later.
func (d *Docker) killContainers() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	said, err := d.ask(ctx, http.MethodGet, "/containers/json", nil)
	if err != nil {
		return
	}
	var list []struct{ ID string }
	_ = json.Unmarshal(said, &list)
	for _, c := range list {
		_, _ = d.ask(ctx, http.MethodPost, "/containers/"+c.ID+"/kill", nil)
	}
}

// containerPids are the first processes of containers that still run: those
// whose shim has left its notes, and which are in the container's cgroup.
func (d *Docker) containerPids() []int {
	notes, _ := filepath.Glob(filepath.Join(d.run, "exec", "containerd", "daemon", "io.containerd.runtime.v2.task", "moby", "*", "init.pid"))
	var pids []int
	for _, note := range notes {
		b, _ := os.ReadFile(note)
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			continue
		}
		groups, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if strings.Contains(string(groups), filepath.Base(filepath.Dir(note))) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Close ends the daemon with everything it runs, waits for that, and removes
// its files.
func (d *Docker) Close() error {
	err := d.Stop()
	for _, dir := range []string{d.dir, d.run} {
		unmountBelow(dir)
		if gone := os.RemoveAll(dir); gone != nil {
			err = errors.Join(err, fmt.Errorf("remove docker's files: %w", gone))
		}
	}
	return err
}

// unmountBelow undoes the mounts that a killed daemon leaves, the last first.
// What stays shows in the removal.
func unmountBelow(dir string) {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			_ = syscall.Unmount(f[1], syscall.MNT_DETACH)
		}
	}
}

// Kill ends the daemon with SIGKILL, and what it leaves behind. The files stay
// for Start.
func (d *Docker) Kill() error {
	_ = d.daemon.cmd.Process.Kill() // it may have ended
	<-d.daemon.done
	err := d.endLeftovers()
	// The next daemon would take the dead containerd for a running one, as long
	// as nobody has reaped it.
	_ = os.Remove(filepath.Join(d.run, "exec", "containerd", "containerd.pid"))
	return err
}
