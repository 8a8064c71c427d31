package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervise"
)

// installed is the program as a service, until the test ends.
type installed struct {
	t *testing.T
	*mgr.Service
	killed bool
}

func installService(t *testing.T, args ...string) *installed {
	t.Helper()
	return installNamed(t, fmt.Sprintf("dwb-test-%d", time.Now().UnixNano()), args...)
}

func installNamed(t *testing.T, name string, args ...string) *installed {
	t.Helper()
	m, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Disconnect()
	config := mgr.Config{ServiceType: windows.SERVICE_WIN32_OWN_PROCESS, StartType: mgr.StartManual}
	s, err := m.CreateService(name, *program, config, args...)
	if err != nil {
		t.Fatal(err)
	}
	i := &installed{t: t, Service: s}
	t.Cleanup(func() {
		if !i.killed {
			s.Control(svc.Stop) // it may have stopped
			i.await(svc.Stopped)
		}
		if err := errors.Join(s.Delete(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return i
}

func (i *installed) query() svc.Status {
	i.t.Helper()
	status, err := i.Query()
	if err != nil {
		i.t.Fatal(err)
	}
	return status
}

func (i *installed) await(state svc.State) (status svc.Status) {
	i.t.Helper()
	becomes(i.t, fmt.Sprintf("service state %d", state), func() bool {
		status = i.query()
		return status.State == state
	})
	return status
}

// start has the service started. Wine calls it a timeout when one has stopped again before it
// looks, which is for the exit code to judge: of one that never came up it is another.
func (i *installed) start() {
	i.t.Helper()
	if err := i.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_REQUEST_TIMEOUT) {
		i.t.Fatal(err)
	}
}

// stop returns when the service has stopped, with its exit code, and its process has ended.
func (i *installed) stop() (code uint32) {
	i.t.Helper()
	process := i.query().ProcessId
	if _, err := i.Control(svc.Stop); err != nil {
		i.t.Fatal(err)
	}
	code = i.await(svc.Stopped).Win32ExitCode
	waitGone(i.t, process)
	return code
}

// An installation of the earlier program has this as its service; nothing that it sees is new.
func TestServiceLegacy(t *testing.T) {
	file := tempFiles(t)
	line := child(t, "hold", file("here"), `"a \"b\" c"`, `\\d\ `, `é`)
	s := installService(t, line)
	s.start()
	status := s.await(svc.Running)
	if status.Accepts&svc.AcceptStop == 0 || status.ProcessId == 0 {
		t.Errorf("status %+v", status)
	}
	pid, got := process(t, file("here"))
	if got != line {
		t.Errorf("the child's command line is\n%q, want\n%q", got, line)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %#x after a stop", code)
	}
	waitGone(t, pid)
}

func TestServiceExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want uint32
	}{
		{"a child that ends", []string{child(t, "exit", "0")}, 0},
		{"a child that fails", []string{child(t, "exit", "3")}, 0x20000003},
		{"a child that crashes", []string{child(t, "exit", "0xC0000005")}, 0xE0000005},
		{"a child that is not there", []string{"no-such-program-anywhere.exe  -x"}, uint32(windows.ERROR_FILE_NOT_FOUND)},
		{"no arguments", nil, supervise.BadArguments},
		{"two arguments", []string{"wsl.exe -e true", "and more"}, supervise.BadArguments},
		{"a supervised child that fails", []string{"supervise", "--restart", "never", "--", self(t), "play", "exit", "3"}, 0x20000003},
		{"a supervised child that is not there", []string{"supervise", "--", `C:\no\such.exe`}, uint32(windows.ERROR_PATH_NOT_FOUND)},
		{"a wrong flag", []string{"supervise", "--restrt", "never", "--", "x"}, 0x20000002},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := installService(t, c.args...)
			s.start()
			if status := s.await(svc.Stopped); status.Win32ExitCode != c.want {
				t.Errorf("exit code %#x, want %#x", status.Win32ExitCode, c.want)
			}
		})
	}
}

// What doctor says of an instance: its state, and what it ended with. It is of type 0x10, and looks after a child.
func TestServiceStateIsTold(t *testing.T) {
	file := tempFiles(t)
	s := installNamed(t, install.ServiceName+"_1a2b3", child(t, "second-time", file("first"), file("here"), file("bye")))
	told := func() string {
		r, err := install.LookForService()
		if err != nil {
			t.Fatal(err)
		}
		return install.Place{}.CurrentState(t.Context(), install.Record{Form: install.ByService}, r)
	}
	if got := told(); got != "docker.wsl.bridge_1a2b3 was not started since Windows was" {
		t.Error(got)
	}
	s.start()
	s.await(svc.Stopped) // it fails once
	if got := told(); got != "docker.wsl.bridge_1a2b3 is stopped, and ended with exit code 0x20000003" {
		t.Error(got)
	}
	s.start()
	s.await(svc.Running)
	if got := told(); got != "docker.wsl.bridge_1a2b3 is running" {
		t.Error(got)
	}
}

func TestServiceTwentyRounds(t *testing.T) {
	file := tempFiles(t)
	s := installService(t, child(t, "family", file("here")))
	began := time.Now()
	for round := range 20 {
		s.start()
		pid, _ := process(t, file("here"))
		s.await(svc.Running)
		if code := s.stop(); code != 0 {
			t.Fatalf("round %d: exit code %#x", round, code)
		}
		waitGone(t, pid)
		if err := windows.DeleteFile(windows.StringToUTF16Ptr(file("here"))); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("20 rounds in %v", time.Since(began))
}

func TestServiceKilledTakesItsFamilyAlong(t *testing.T) {
	file := tempFiles(t)
	s := installService(t, child(t, "family", file("here")))
	s.start()
	status := s.await(svc.Running)
	pid, _ := process(t, file("here"))
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, status.ProcessId)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	if err := windows.TerminateProcess(h, 1); err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
	s.killed = true // Wine's service control manager does not notice it, and asks nobody to stop any more
}

// Wine takes the settings and neither follows them nor gives them back.
func TestServiceRecoveryActions(t *testing.T) {
	s := installService(t, child(t, "exit", "3"))
	actions := []mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: time.Second}, {Type: mgr.NoAction}}
	if err := s.SetRecoveryActions(actions, 60); err != nil {
		t.Fatal(err)
	}
	s.start()
	if status := s.await(svc.Stopped); status.Win32ExitCode != 0x20000003 {
		t.Errorf("exit code %#x", status.Win32ExitCode)
	}
	got, err := s.RecoveryActions()
	switch {
	case errors.Is(err, windows.ERROR_INVALID_LEVEL):
		t.Log("not to be read here:", err)
	case err != nil || len(got) != len(actions) || got[0] != actions[0]:
		t.Errorf("recovery actions %v, %v", got, err)
	}
}

// The command fails once, runs then, and is asked to end.
func TestServiceSupervise(t *testing.T) {
	file := tempFiles(t)
	s := installService(t, "supervise", "--", self(t), "play", "second-time", file("first"), file("here"), file("bye"))
	s.start()
	s.await(svc.Running)
	pid, _ := process(t, file("here"))
	if state := s.query().State; state != svc.Running {
		t.Errorf("state %d while it runs", state)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %#x after a stop", code)
	}
	waitGone(t, pid)
	if said, _ := left(t, file("bye")); said != "bye" {
		t.Errorf("last words %q", said)
	}
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	logs, _ := filepath.Glob(filepath.Join(state.LogDir(dir), "supervise-*.log"))
	var text []byte
	for _, file := range logs {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, b...)
	}
	for _, want := range []string{`msg="command ends and starts again" why="the command has ended with exit code 3"`, "msg=stopped"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in its log, %q: %s", want, logs, text)
		}
	}
}
