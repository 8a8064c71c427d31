package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// An installed is a ward with the program installed by its user.
type installed struct {
	*ward
	before scene
	home   string // the user's directory, as Linux sees it

	administrator bool // who installs it
}

// onInstalled installs nothing yet. The user is the same in all wards, so that one test at a
// time has an installation; what it leaves is removed at the end.
func onInstalled(t *testing.T) (context.Context, *installed) {
	t.Helper()
	ctx, w := openWindowsWard(t)
	homes, err := filepath.Glob(filepath.Join(w.s.Wine.DriveC(), "users", "*", "AppData", "Local"))
	if err != nil || len(homes) != 1 {
		t.Fatalf("homes: %q, %v", homes, err)
	}
	i := &installed{ward: w, before: look(t, w.s, w.distro), home: homes[0]}
	t.Cleanup(func() {
		if o := filed(t, i.windows(context.WithoutCancel(ctx), "uninstall")); o.code != 0 {
			t.Errorf("uninstall: %+v", o)
		}
	})
	return ctx, i
}

// windows is the program, as whoever installs it runs it.
func (i *installed) windows(ctx context.Context, args ...string) *exec.Cmd {
	if i.administrator {
		return i.s.Administrator(ctx, args...)
	}
	return i.s.Windows(ctx, args...)
}

func (i *installed) program(name string) string {
	return filepath.Join(i.home, "Programs", "docker-wsl-bridge", name)
}

// filed runs a command whose output goes to files: under Wine what a program starts holds its
// pipes, though it was not given them.
func filed(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var texts [2]string
	dir := t.TempDir()
	var files [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	for i, f := range files {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = strings.ReplaceAll(string(b), "\r", "")
	}
	return outcome{texts[0], lab.WithoutWine(texts[1]), cmd.ProcessState.ExitCode()}
}

// does runs a command that succeeds, and gives what it prints.
func (i *installed) does(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	began := time.Now()
	o := filed(t, i.windows(ctx, args...))
	t.Logf("%s took %v", args[0], time.Since(began).Round(100*time.Millisecond))
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("%q: %+v", args, o)
	}
	return o.stdout
}

// runKey is the Run key's value, as reg.exe shows it.
func (i *installed) runKey(ctx context.Context, t *testing.T) string {
	t.Helper()
	o := said(t, i.s.Wine.Command(ctx, "reg.exe", "query", `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`, "/v", "docker-wsl-bridge"))
	if o.code != 0 {
		return ""
	}
	return o.stdout
}

// tasks are the files of registered tasks, which Wine keeps where Windows does.
func (i *installed) tasks(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(i.s.Wine.DriveC(), "windows", "system32", "tasks", "docker-wsl-bridge*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// gone wants nothing to be left but logs.
func (i *installed) gone(ctx context.Context, t *testing.T) {
	t.Helper()
	if _, err := os.Lstat(i.program("")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the program's directory: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(i.home, "docker-wsl-bridge", "installed.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the record: %v", err)
	}
	if value := i.runKey(ctx, t); value != "" {
		t.Errorf("the Run key: %s", value)
	}
	if tasks := i.tasks(t); len(tasks) > 0 {
		t.Errorf("tasks: %q", tasks)
	}
	i.before.awaitEmpty(ctx, t)
	absent(t, i.s, i.distro, wardSocket)
	if files, _ := filepath.Glob(in(i.s, i.distro, runDir+"/agent-*")); len(files) > 0 {
		t.Errorf("agents: %q", files)
	}
}

// kinds are the changes that a --json tells of.
func kinds(t *testing.T, text string) (list []string) {
	t.Helper()
	var told struct{ Changes []struct{ Do string } }
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, c := range told.Changes {
		list = append(list, c.Do)
	}
	return list
}

// From the download to docker with one command, and back with another. Wine's Task Scheduler takes
// the task and does not run it: then the program is started without it.
func TestInstall(t *testing.T) {
	ctx, i := onInstalled(t)
	flags := []string{"install", "--user", "--distro", i.distro, "--pipe", stage.EnginePipe}
	dry := i.does(ctx, t, append(flags, "--dry-run")...)
	contains(t, dry, "copy ", "add-task ", "start ", "run --distro="+i.distro+" --pipe="+stage.EnginePipe, "Nothing was changed.\n")
	i.gone(ctx, t)
	contains(t, i.does(ctx, t, flags...), "It serves "+wardSocket+" in "+i.distro+", and starts at logon (by a scheduled task: it is for this user alone, and takes no administrator).",
		"docker --context windows version")
	r := route{name: "installed", host: "unix://" + wardSocket}
	if o := r.run(ctx, t, i.s, nil, "version"); o.code != 0 {
		t.Errorf("docker version: %+v", o)
	}
	if len(i.tasks(t)) != 1 || i.runKey(ctx, t) != "" {
		t.Errorf("tasks %q, Run key %q", i.tasks(t), i.runKey(ctx, t))
	}
	first := i.status(ctx, t)
	if !first.Works || len(i.before.newOnHost()) == 0 || !strings.Contains(strings.Join(i.before.newOnHost(), "\n"), `\AppData\Local\Programs\docker-wsl-bridge\docker-wsl-bridgew.exe`) {
		t.Errorf("%+v, %q", first, i.before.newOnHost())
	}
	var told struct {
		Installed struct{ Form, Programs string }
	}
	if o := said(t, i.s.Windows(ctx, "status", "--json")); json.Unmarshal([]byte(o.stdout), &told) != nil || told.Installed.Form != "task" {
		t.Errorf("status: %+v", o)
	}
	contains(t, fails(t, i.s.Windows(ctx, "up", "--distro", i.distro, "--pipe", stage.EnginePipe)), fmt.Sprintf("it is served already, by pid %d since ", first.PID),
		"hint: DWB304: it is the installed program, which starts at logon; to use it, in "+i.distro+", run: docker --context windows version\n", "run: docker-wsl-bridge logs -f --distro "+i.distro)
	i.doctorMindsTheTask(ctx, t)
	// Again: nothing to do. Another flag: it is changed.
	if got := kinds(t, i.does(ctx, t, append(flags, "--json")...)); len(got) > 0 {
		t.Errorf("once more it did %q", got)
	}
	if again := i.status(ctx, t); again.PID != first.PID {
		t.Errorf("pid %d became %d", first.PID, again.PID)
	}
	i.does(ctx, t, append(flags, "--socket-mode", "0666")...)
	if again := i.status(ctx, t); again.PID == first.PID || again.Link.Mode != "0666" {
		t.Errorf("with another mode: %+v", again)
	}
	i.does(ctx, t, "uninstall")
	i.gone(ctx, t)
	contains(t, i.does(ctx, t, "logs", "--distro", i.distro), "bridge ends")
}

// doctorMindsTheTask has the task start something else, which is found and made right.
func (i *installed) doctorMindsTheTask(ctx context.Context, t *testing.T) {
	t.Helper()
	here := []string{"doctor", "--distro", i.distro, "--json"}
	diagnosed(t, i.s.Windows(ctx, here...)).has(t, "DWB601", "ok", "started by a scheduled task", "")
	task := i.tasks(t)[0]
	text, err := os.ReadFile(task)
	if err != nil {
		t.Fatal(err)
	}
	const other = `<Exec><Command>C:\other.exe</Command></Exec>` // Wine does not keep ours
	changed := bytes.Replace(text, []byte("<Exec/>"), []byte(other), 1)
	if bytes.Equal(changed, text) {
		t.Fatalf("the task is %q", text)
	}
	if err := os.WriteFile(task, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	diagnosed(t, i.s.Windows(ctx, here...)).has(t, "DWB601", "failed", `the scheduled task starts "C:\other.exe", not "C:\`, "docker-wsl-bridge install")
	diagnosed(t, i.s.Windows(ctx, append(here, "--fix")...)).has(t, "DWB601", "ok", "started by a scheduled task", "")
	if made, err := os.ReadFile(task); err != nil || !bytes.HasPrefix(made, text) { // Wine leaves the end of a longer one
		t.Errorf("%v: the task is %s", err, made)
	}
}

// By the Run key, whose value is run as Explorer runs it; stopped, started and started anew.
func TestInstallByTheRunKey(t *testing.T) {
	ctx, i := onInstalled(t)
	i.does(ctx, t, "install", "--user", "--distro", i.distro, "--pipe", stage.EnginePipe, "--at-logon", "run-key")
	if len(i.tasks(t)) > 0 {
		t.Errorf("tasks %q", i.tasks(t))
	}
	contains(t, i.runKey(ctx, t), `\AppData\Local\Programs\docker-wsl-bridge\docker-wsl-bridgew.exe" run --distro=`+i.distro+" --pipe="+stage.EnginePipe)
	first := i.status(ctx, t)
	i.does(ctx, t, "restart")
	second := i.status(ctx, t)
	if !second.Works || second.PID == first.PID {
		t.Errorf("after restart: %+v, was %d", second, first.PID)
	}
	i.does(ctx, t, "stop", "--distro", i.distro)
	o := said(t, i.s.Windows(ctx, "status"))
	contains(t, o.stdout, "at logon started by the Run key, as asked for")
	diagnosed(t, i.s.Windows(ctx, "doctor", "--distro", i.distro, "--json")).has(t, "DWB301", "failed", "no bridge of this user serves", "docker-wsl-bridge start")
	i.does(ctx, t, "start")
	if third := i.status(ctx, t); !third.Works {
		t.Errorf("after start: %+v", third)
	}
	if got := kinds(t, i.does(ctx, t, "start", "--json")); len(got) > 0 {
		t.Errorf("started again it did %q", got)
	}
	// Somebody has it start something else: that is found, and made right.
	if o := said(t, i.s.Wine.Command(ctx, "reg.exe", "add", `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`, "/v", "docker-wsl-bridge", "/d", `C:\other.exe`, "/f")); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	here := []string{"doctor", "--distro", i.distro, "--json"}
	diagnosed(t, i.s.Windows(ctx, here...)).has(t, "DWB601", "failed", `the Run key starts C:\other.exe, not "C:\`, "docker-wsl-bridge install")
	diagnosed(t, i.s.Windows(ctx, append(here, "--fix")...)).has(t, "DWB601", "ok", "started by the Run key", "")
	contains(t, i.runKey(ctx, t), `\AppData\Local\Programs\docker-wsl-bridge\docker-wsl-bridgew.exe" run --distro=`)
	// The program that is installed removes all but its own file, and says so.
	cmd := i.s.Wine.Command(ctx, i.program("docker-wsl-bridge.exe"), "uninstall", "--json")
	cmd.Env = append(cmd.Env, i.s.VM.Env()...)
	o = filed(t, cmd)
	if o.code != 0 {
		t.Fatalf("uninstall: %+v", o)
	}
	got := kinds(t, o.stdout)
	if want := []string{"stop", "remove-run-key", "clean-distro", "remove", "remove", "remove", "remove-directory"}; !slices.Equal(got, want) {
		t.Errorf("uninstall did %q, want %q", got, want)
	}
	contains(t, o.stdout, "docker-wsl-bridge.exe is the program that runs just now", `"hints":[{"code":"DWB606",`, `"command":"cmd /c rmdir /s /q \"`)
	if left, err := os.ReadDir(i.program("")); err != nil || len(left) != 1 {
		t.Errorf("left: %q, %v", left, err)
	}
	if got, want := kinds(t, i.does(ctx, t, "uninstall", "--json")), []string{"remove", "remove-directory"}; !slices.Equal(got, want) {
		t.Errorf("once more it did %q, want %q", got, want)
	}
	i.gone(ctx, t)
}

// Where no task can be made the Run key takes its place, and it is told why. A directory in the
// task's place is what Wine can't overwrite.
func TestInstallWhereTasksAreRefused(t *testing.T) {
	ctx, i := onInstalled(t)
	flags := []string{"install", "--user", "--distro", i.distro, "--pipe", stage.EnginePipe}
	_, name, _ := strings.Cut(i.does(ctx, t, append(flags, "--dry-run")...), "add-task          ")
	name, _, _ = strings.Cut(name, "  (")
	place := filepath.Join(i.s.Wine.DriveC(), "windows", "system32", "tasks", name)
	if err := os.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(place)
	const why = "by the Run key; not by a scheduled task: schtasks /Create: exit status 1"
	contains(t, i.does(ctx, t, flags...), "starts at logon ("+why+")")
	contains(t, i.runKey(ctx, t), "docker-wsl-bridgew.exe")
	contains(t, filed(t, i.s.Windows(ctx, "status")).stdout, "started "+why)
	if got := kinds(t, i.does(ctx, t, append(flags, "--json")...)); len(got) > 0 {
		t.Errorf("once more it did %q", got)
	}
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	i.does(ctx, t, "uninstall")
	i.gone(ctx, t)
}

// A half-state: the record and a program are gone, and both halves were killed, so that sockets are left, one of them
// elsewhere than agents have theirs.
func TestUninstallFromAHalfState(t *testing.T) {
	ctx, i := onInstalled(t)
	const elsewhere, left = "/run/elsewhere.sock", runDir + "/left.sock"
	i.does(ctx, t, "install", "--user", "--distro", i.distro, "--pipe", stage.EnginePipe, "--socket", elsewhere, "--context", "windows", "--at-logon", "run-key")
	agent := newcomer(t, i.before.newInDistro(t), " serve")
	if err := syscall.Kill(agent, syscall.SIGSTOP); err != nil { // else it takes its socket along when the other half dies
		t.Fatal(err)
	}
	kill(t, newcomer(t, i.before.newOnHost(), "docker-wsl-bridgew.exe"))
	kill(t, agent)
	i.asRoot(ctx, t, "socat UNIX-LISTEN:"+left+" - </dev/null >/dev/null 2>&1 & while [ ! -S "+left+" ]; do :; done; kill -9 $!")
	wantAttributes(ctx, t, i.s, i.distro, elsewhere, "socket 660 root:docker")
	for _, file := range []string{filepath.Join(i.home, "docker-wsl-bridge", "installed.json"), i.program("docker-wsl-bridge.exe")} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, i.does(ctx, t, "uninstall"), "remove-run-key ", "docker-wsl-bridgew.exe\n", "clean-distro      "+i.distro, "Nothing is installed any more.\n")
	i.gone(ctx, t)
	absent(t, i.s, i.distro, elsewhere)
	absent(t, i.s, i.distro, runDir)

	// A distro that somebody has stopped is not started, but named, unless that is asked for. It stays known when
	// all else is forgotten; here no bridge has served it since.
	i.does(ctx, t, "context", "create", "--distro", i.distro)
	if err := i.s.VM.Terminate(i.distro); err != nil {
		t.Fatal(err)
	}
	contains(t, i.does(ctx, t, "uninstall", "--purge"),
		"leave             "+i.distro+"  (it does not run; what is in its /run goes with it, but not the docker context windows of alice)",
		"run: docker-wsl-bridge uninstall --start-distros\n")
	if logs, _ := filepath.Glob(filepath.Join(i.home, "docker-wsl-bridge", "logs", i.distro+"-*")); len(logs) > 0 {
		t.Errorf("after --purge: %q", logs)
	}
	contains(t, i.does(ctx, t, "uninstall", "--start-distros"), "clean-distro      "+i.distro, "Nothing is installed any more.\n")
	i.gone(ctx, t)
	absent(t, i.s, i.distro, aliceHome+"/.docker/contexts")
	if again := i.does(ctx, t, "uninstall", "--start-distros", "--dry-run"); strings.Contains(again, i.distro) {
		t.Errorf("it was cleaned: %s", again)
	}
}

// A bridge that a person has started is in the way, is named, and left alone by both.
func TestInstallLeavesOthersAlone(t *testing.T) {
	ctx, i := onInstalled(t)
	i.up(ctx, t)
	o := filed(t, i.s.Windows(ctx, "install", "--user", "--distro", i.distro, "--pipe", stage.EnginePipe))
	if o.code != 1 || o.stdout != "" {
		t.Errorf("install: %+v", o)
	}
	contains(t, o.stderr, wardSocket+" in "+i.distro+" is served already, by pid ", "run: docker-wsl-bridge stop --distro "+i.distro)
	told := fails(t, i.s.Windows(ctx, "start"))
	contains(t, told, "it is not installed for this user", "run: docker-wsl-bridge install\n")
	i.does(ctx, t, "uninstall", "--purge")
	i.works(ctx, t)
	if logFiles(t, i.s, i.distro) == "" {
		t.Error("its log is gone")
	}
}

// An administrator's install is a service for the machine. Wine knows no service of that type: what
// is asked for is told before, the refusal is told with what to do, and nothing of it stays.
func TestInstallAsAService(t *testing.T) {
	ctx, i := onInstalled(t)
	i.administrator = true
	flags := []string{"install", "--distro", i.distro, "--pipe", stage.EnginePipe}
	dry := i.does(ctx, t, append(flags, "--dry-run")...)
	contains(t, dry, `copy              C:\Program Files\docker-wsl-bridge\docker-wsl-bridgew.exe`,
		`add-service       docker.wsl.bridge  ("C:\Program Files\docker-wsl-bridge\docker-wsl-bridgew.exe" run --distro=`+i.distro+" --pipe="+stage.EnginePipe+" --if-installed)",
		"add-source        docker-wsl-bridge", "mark              S-1-", "to start it now, with the user's own rights", "Nothing was changed.\n")
	all := i.does(ctx, t, append(flags, "--dry-run", "--all-users")...)
	contains(t, all, "mark              every user")
	o := filed(t, i.windows(ctx, flags...))
	if o.code != 1 {
		t.Errorf("install: %+v", o)
	}
	contains(t, o.stderr, "error: add service docker.wsl.bridge: ", "run: docker-wsl-bridge install --user\n")
	contains(t, i.does(ctx, t, "uninstall"), `remove            C:\Program Files\docker-wsl-bridge\docker-wsl-bridgew.exe`, "Nothing is installed any more.\n")
	i.gone(ctx, t)
	if left, _ := filepath.Glob(filepath.Join(i.s.Wine.DriveC(), "Program Files", "docker-wsl-bridge*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}

	// An instance of the service for somebody for whom it was not installed.
	if o := filed(t, i.windows(ctx, "run", "--distro="+i.distro, "--pipe="+stage.EnginePipe, "--if-installed")); o != (outcome{}) {
		t.Errorf("run --if-installed: %+v", o)
	}
	i.before.awaitEmpty(ctx, t)

	i.isNotReplaced(ctx, t, flags)
}

// isNotReplaced has a service of another program with our name in the way, which is named, and left alone
// without --replace. With it, where ours is refused, it is there again and runs.
func (i *installed) isNotReplaced(ctx context.Context, t *testing.T, flags []string) {
	t.Helper()
	run := func(ctx context.Context, args ...string) outcome {
		return filed(t, i.s.Wine.Administrator(ctx, args[0], args[1:]...))
	}
	line := `"Z:` + strings.ReplaceAll(stage.WindowsExe(), "/", `\`) + `" run --distro=none --pipe=none`
	if o := run(ctx, "sc.exe", "create", "docker.wsl.bridge", "binPath=", line, "start=", "demand", "displayname=", "The earlier one"); o.code != 0 {
		t.Fatalf("sc create: %+v", o)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		run(ctx, "sc.exe", "stop", "docker.wsl.bridge")
		run(ctx, "sc.exe", "delete", "docker.wsl.bridge")
		i.before.awaitEmpty(ctx, t)
	})
	if o := run(ctx, "sc.exe", "start", "docker.wsl.bridge"); o.code != 0 {
		t.Fatalf("sc start: %+v", o)
	}
	registered := func() string {
		return run(ctx, "reg.exe", "query", `HKLM\SYSTEM\CurrentControlSet\Services\docker.wsl.bridge`).stdout
	}
	before := registered()
	contains(t, before, line, "The earlier one")
	told := fails(t, i.windows(ctx, flags...))
	contains(t, told, `a service docker.wsl.bridge is there that is another program's: `+line, "run: docker-wsl-bridge install --replace\n")
	contains(t, i.does(ctx, t, append(flags, "--dry-run", "--replace")...), "remove-service    docker.wsl.bridge")
	contains(t, i.does(ctx, t, "uninstall"), "There is nothing to remove.\n")

	o := filed(t, i.windows(ctx, append(flags, "--replace")...))
	contains(t, o.stderr, "error: add service docker.wsl.bridge: ", "; the service that was there is as it was, and runs\n", "run: docker-wsl-bridge install --user\n")
	if o.code != 1 || registered() != before {
		t.Errorf("install --replace: %+v: there is\n%s, and was\n%s", o, registered(), before)
	}
	contains(t, run(ctx, "sc.exe", "query", "docker.wsl.bridge").stdout, "RUNNING")
	contains(t, i.does(ctx, t, "uninstall"), `remove            C:\Program Files\docker-wsl-bridge\docker-wsl-bridgew.exe`)
}
