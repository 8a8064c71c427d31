package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

func ownSID() (string, error) { return carrier.OwnSID() }

// hidden runs a program of System32 without a window.
func hidden(ctx context.Context, name string, args []string) error {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return err
	}
	return carrier.RunHidden(ctx, filepath.Join(dir, name), args...)
}

const (
	// outputGrace is how long output is waited for once the program has ended: what it has started, such as a
	// service, may hold the pipe for ever.
	outputGrace = time.Second
	// maxSaid bounds what is taken of it.
	maxSaid = 1 << 20
)

// hiddenSays is what it prints.
func hiddenSays(ctx context.Context, name string, args []string) ([]byte, error) {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, err
	}
	p, err := carrier.Start(carrier.Command{Path: filepath.Join(dir, name), Args: args})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { p.CloseAfter(0) })
	defer stop()
	var late sync.WaitGroup
	late.Go(func() {
		<-p.Done()
		_ = p.SetReadDeadline(time.Now().Add(outputGrace)) // it may be closed
	})
	said, err := io.ReadAll(io.LimitReader(p, maxSaid))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	err = errors.Join(context.Cause(ctx), err, p.Close())
	late.Wait()
	if err == nil && p.ExitCode() != 0 {
		err = fmt.Errorf("exit status %d", p.ExitCode())
	}
	return said, err
}

// detached starts a program that is no child of ours but by name: it is to outlive us, so it is born into
// no job of ours.
func detached(exe string, args []string, dir string) error {
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &windows.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

const runPath = `Software\Microsoft\Windows\CurrentVersion\Run`

func setRun(line string) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, runPath, registry.SET_VALUE)
	if err != nil {
		return err
	}
	return errors.Join(k.SetStringValue(RunValue, line), k.Close())
}

func hasRun() bool { return runLine() != "" }

func runLine() string {
	k, err := registry.OpenKey(registry.CURRENT_USER, runPath, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	line, _, _ := k.GetStringValue(RunValue)
	return line
}

func approvedValue() []byte {
	k, err := registry.OpenKey(registry.CURRENT_USER, approvedPath, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer k.Close()
	value, _, _ := k.GetBinaryValue(RunValue)
	return value
}

func runPolicy() bool {
	for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
		if k, err := registry.OpenKey(root, runPolicyPath, registry.QUERY_VALUE); err == nil {
			set, _, err := k.GetIntegerValue(runPolicyValue)
			_ = k.Close()
			if err == nil && set != 0 {
				return true
			}
		}
	}
	return false
}

func removeRun() error {
	k, err := registry.OpenKey(registry.CURRENT_USER, runPath, registry.SET_VALUE)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer k.Close()
	if err := k.DeleteValue(RunValue); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
