package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// callTime bounds one call of the Task Scheduler, which answers within a second.
const callTime = 30 * time.Second

// SID is this process' user. On Linux all of these are errors.ErrUnsupported.
func SID() (string, error) { return ownSID() }

const taskFileName = "task.xml"

// taskFile is where schtasks finds the task. With an administrator's rights it makes any task, the
// system's too: then the file is where only administrators write, whosever the programs are.
func (p Place) taskFile(elevated bool, programFiles string) string {
	if elevated {
		return p.Everywhere(programFiles).File(taskFileName)
	}
	return p.State + `\` + taskFileName
}

// AddTask registers the task, in place of an older one.
func (p Place) AddTask(ctx context.Context, f Form, args []string) error {
	file := p.taskFile(Elevated(), ProgramFiles())
	if err := state.Write(file, utf16File(TaskXML(p, f, args)), 0o600); err != nil {
		return fmt.Errorf("add task: %w", err)
	}
	defer func() { // one that somebody holds is in nobody's way: the next call writes it anew
		_ = Remove(file, false)
		_ = Remove(filepath.Dir(file), true)
	}()
	return schtasks(ctx, "/Create", "/XML", file, "/TN", p.TaskName(), "/F")
}

// HasTask tells whether it is registered. Wine's schtasks knows every task that it is asked for;
// so where none is recorded its file has a say.
func (p Place) HasTask(ctx context.Context, recorded bool) bool {
	if schtasks(ctx, "/Query", "/TN", p.TaskName()) != nil {
		return false
	}
	_, err := os.Lstat(os.Getenv("SystemRoot") + `\System32\Tasks\` + p.TaskName())
	return recorded || !errors.Is(err, fs.ErrNotExist)
}

// RunTask has the Task Scheduler start it, as at a logon.
func (p Place) RunTask(ctx context.Context) error {
	return schtasks(ctx, "/Run", "/TN", p.TaskName())
}

// RemoveTask removes it.
func (p Place) RemoveTask(ctx context.Context) error {
	return schtasks(ctx, "/Delete", "/TN", p.TaskName(), "/F")
}

// RemoveOthersTask ends and removes another user's. It takes an administrator.
func RemoveOthersTask(ctx context.Context, name string) error {
	_ = schtasks(ctx, "/End", "/TN", name) // it may not run
	return schtasks(ctx, "/Delete", "/TN", name, "/F")
}

// OthersTasks are the users whose tasks start this place's program, all users' own, by SID: those whom the
// machine's record names, and whose task says so. One that starts the user's own program is none of them. It takes an
// administrator to see them.
func (p Place) OthersTasks(ctx context.Context, m *Machine) (sids []string) {
	files, _ := filepath.Glob(os.Getenv("SystemRoot") + `\System32\Tasks\` + taskPrefix + "S-1-*")
	known := m.Others(p.SID)
	for _, f := range files {
		other := p
		if other.SID = strings.TrimPrefix(filepath.Base(f), taskPrefix); other.SID == p.SID {
			continue
		}
		text, _ := other.taskText(ctx) // what can't be read says nothing
		line, _ := taskLine(text)
		if slices.Contains(known, other.SID) || strings.HasPrefix(strings.ToLower(line), strings.ToLower(`"`+p.File(Windowed)+`"`)) {
			sids = append(sids, other.SID)
		}
	}
	return sids
}

func schtasks(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := hidden(ctx, "schtasks.exe", args); err != nil {
		return fmt.Errorf("schtasks %s: %w", args[0], err)
	}
	return nil
}

// SetRunKey writes the value of the user's Run key. The error is that of RunKeyTakes if it would not
// be run.
func (p Place) SetRunKey(args []string) error {
	if err := p.RunKeyTakes(args); err != nil {
		return err
	}
	return setRun(CommandLine(p.File(Windowed), args))
}

// HasRunKey tells whether it is there.
func HasRunKey() bool { return hasRun() }

// RemoveRunKey removes it. One that is not there is no error.
func RemoveRunKey() error { return removeRun() }

// Start starts the program without a console, on its own.
func (p Place) Start(args []string) error {
	if err := detached(p.File(Windowed), args, p.Programs); err != nil {
		return fmt.Errorf("start %s: %w", Windowed, err)
	}
	return nil
}

// maxProgram bounds what is read of a program.
const maxProgram = 1 << 30

// Stale are the programs that are not in place as they are in from.
func (p Place) Stale(from string) (names []string, err error) {
	for _, name := range []string{Console, Windowed} {
		want, err := files.Read(filepath.Join(from, name), maxProgram)
		if err != nil {
			return nil, fmt.Errorf("read program: %w", err)
		}
		is, err := files.Read(p.File(name), maxProgram)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read program: %w", err)
		}
		if !bytes.Equal(want, is) {
			names = append(names, name)
		}
	}
	return names, nil
}

// Put copies a program into its place, whole or not at all.
func Put(from, to string) error {
	b, err := files.Read(from, maxProgram)
	if err == nil {
		err = state.Write(to, b, 0o700)
	}
	if err != nil {
		return fmt.Errorf("copy program: %w", err)
	}
	return nil
}

// There are those of some files that are there.
func There(files []string) (list []string) {
	for _, f := range files {
		if _, err := os.Lstat(f); err == nil {
			list = append(list, f)
		}
	}
	return list
}

// Remove removes a file or an empty directory. One that is not there is no error, nor is a
// directory that somebody else has put something into.
func Remove(path string, dir bool) (err error) {
	exe, _ := os.Executable()
	switch {
	case dir:
		err = state.RemoveDir(path)
	case strings.EqualFold(exe, path): // Windows keeps the program that runs
		err = state.TryRemove(path)
	default:
		err = state.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	return nil
}
