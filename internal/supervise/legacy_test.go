package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// original is the argument of the earlier program's own example.
const original = `C:\Windows\System32\wsl.exe -u root --cd / -d docker-desktop -e /usr/bin/socat UNIX-LISTEN:/run/host-services/docker.win.proxy.sock,fork "EXEC:\"/mnt/host/c/docker.exe --host=npipe\:////./pipe/docker_engine_windows system dial-stdio\""`

func TestLegacyForm(t *testing.T) {
	const person, manager = false, true // who has started us
	for _, c := range []struct {
		started bool
		args    []string
		want    legacy
		is      bool
	}{
		{person, []string{original}, legacy{line: original}, true},
		{manager, []string{original}, legacy{line: original}, true},
		{person, []string{"cli", original}, legacy{cli: true, line: original}, true},
		{person, []string{"debug", original}, legacy{debug: true, line: original}, true},
		{person, []string{"debug", "cli", original}, legacy{debug: true, cli: true, line: original}, true},
		{manager, []string{"debug", original}, legacy{debug: true, line: original}, true},
		// Without a blank it is a command line of the original's, too.
		{person, []string{"cli", "notepad"}, legacy{cli: true, line: "notepad"}, true},
		{manager, []string{"notepad"}, legacy{line: "notepad"}, true},
		{person, []string{"cli", "debug"}, legacy{cli: true, line: "debug"}, true},
		{person, []string{"debug", "cli", "cli"}, legacy{debug: true, cli: true, line: "cli"}, true},
		// Its wrong ones.
		{person, []string{"cli"}, legacy{cli: true, wrong: true}, true},
		{person, []string{"debug"}, legacy{debug: true, wrong: true}, true},
		{person, []string{"cli", "a b", "c"}, legacy{cli: true, wrong: true}, true},
		{manager, nil, legacy{wrong: true}, true},
		{manager, []string{"a b", "c"}, legacy{wrong: true}, true},
		{manager, []string{"uup", "--json"}, legacy{wrong: true}, true},
		// Ours.
		{person, nil, legacy{}, false},
		{person, []string{"up"}, legacy{}, false},
		{person, []string{"upp"}, legacy{}, false},
		{person, []string{"--help"}, legacy{}, false},
		{person, []string{"up", "--pipe", "a b"}, legacy{}, false},
		{manager, []string{"up"}, legacy{}, false},
		{manager, []string{"supervise", "--", "a b"}, legacy{}, false},
	} {
		got, is := LegacyForm(c.args, c.started, []string{"up", "supervise"})
		if is != c.is || is && got != c.want {
			t.Errorf("started by the manager: %v, %q: %+v, %v", c.started, c.args, got, is)
		}
	}
}

func TestLegacyCode(t *testing.T) {
	for _, c := range []struct {
		code uint32
		err  error
		want uint32
	}{
		{0, nil, 0},
		{1, nil, 0x20000001},
		{0xFFFFFFFF, nil, 0xFFFFFFFF}, // wsl.exe's -1
		{0, fmt.Errorf("start process: %w", syscall.Errno(5)), 5},
	} {
		if got := legacyCode(c.code, c.err); got != c.want {
			t.Errorf("code %#x, error %v: %#x, want %#x", c.code, c.err, got, c.want)
		}
	}
}

// It waits as long as it takes, as the original did, and Ctrl-C ends that.
func TestAwaitDebuggerEndsWithCtrlC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var said strings.Builder
		began := time.Now()
		if awaitDebugger(ctx, &said) || time.Since(began) != time.Hour {
			t.Errorf("ended after %v", time.Since(began))
		}
		if said.String() != "waiting for a debugger ...\n" {
			t.Errorf("said %q", said.String())
		}
	})
}

func TestAgain(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		policy string
		err    error
		want   bool
	}{
		{RestartAlways, nil, true}, {RestartAlways, failed, true},
		{RestartOnFailure, nil, false}, {RestartOnFailure, failed, true},
		{RestartNever, nil, false}, {RestartNever, failed, false},
	} {
		if got := shouldStartAgain(c.policy, c.err); got != c.want {
			t.Errorf("%s after %v: %v", c.policy, c.err, got)
		}
	}
}
