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

// CurrentSID is this process' user. On Linux all of these are errors.ErrUnsupported.
func CurrentSID() (string, error) { return ownSID() }

const taskFileName = "task.xml"

// taskFile is where schtasks finds the task. With an administrator's rights it makes any task, the
// system's too: then the file is where only administrators write, whosever the programs are.
func (p Place) taskFile(elevated bool, programFiles string) string {
	if elevated {
		return p.ForAllUsers(programFiles).ProgramFile(taskFileName)
	}
	return p.State + `\` + taskFileName
}

// AddTask registers the task, in place of an older one.
func (p Place) AddTask(ctx context.Context, f Form, args []string) error {
	file := p.taskFile(IsElevated(), ProgramFiles())
	if err := state.WriteFile(file, utf16File(TaskXML(p, f, args)), 0o600); err != nil {
		return fmt.Errorf("add task: %w", err)
	}
	defer func() { // one that somebody holds is in nobody's way: the next call writes it anew
		_ = RemovePath(file, false)
		_ = RemovePath(filepath.Dir(file), true)
	}()
	return runSchtasks(ctx, "/Create", "/XML", file, "/TN", p.TaskName(), "/F")
}

// HasTask tells whether it is registered. Wine's schtasks knows every task that it is asked for;
// so where none is recorded its file has a say.
func (p Place) HasTask(ctx context.Context, recorded bool) bool {
	if runSchtasks(ctx, "/Query", "/TN", p.TaskName()) != nil {
		return false
	}
	_, err := os.Lstat(os.Getenv("SystemRoot") + `\System32\Tasks\` + p.TaskName())
	return recorded || !errors.Is(err, fs.ErrNotExist)
}

// RunTask has the Task Scheduler start it, as at a logon.
func (p Place) RunTask(ctx context.Context) error {
	return runSchtasks(ctx, "/Run", "/TN", p.TaskName())
}

// RemoveTask removes it.
func (p Place) RemoveTask(ctx context.Context) error {
	return runSchtasks(ctx, "/Delete", "/TN", p.TaskName(), "/F")
}

// RemoveOthersTask ends and removes another user's. It takes an administrator.
func RemoveOthersTask(ctx context.Context, name string) error {
	_ = runSchtasks(ctx, "/End", "/TN", name) // it may not run
	return runSchtasks(ctx, "/Delete", "/TN", name, "/F")
}

// OthersTasks are the users whose tasks start this place's program, all users' own, by SID: those whom the
// machine's record names, and whose task says so. One that starts the user's own program is none of them. It takes an
// administrator to see them.
func (p Place) OthersTasks(ctx context.Context, m *Machine) (sids []string) {
	files, _ := filepath.Glob(os.Getenv("SystemRoot") + `\System32\Tasks\` + taskPrefix + "S-1-*")
	known := m.OtherUsers(p.SID)
	for _, f := range files {
		other := p
		if other.SID = strings.TrimPrefix(filepath.Base(f), taskPrefix); other.SID == p.SID {
			continue
		}
		text, _ := other.taskText(ctx) // what can't be read says nothing
		line, _ := taskLine(text)
		if slices.Contains(known, other.SID) || strings.HasPrefix(strings.ToLower(line), strings.ToLower(`"`+p.ProgramFile(Windowed)+`"`)) {
			sids = append(sids, other.SID)
		}
	}
	return sids
}

func runSchtasks(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := runHidden(ctx, "schtasks.exe", args); err != nil {
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
	return setRun(CommandLine(p.ProgramFile(Windowed), args))
}

// HasRunKey tells whether it is there.
func HasRunKey() bool { return hasRun() }

// RemoveRunKey removes it. One that is not there is no error.
func RemoveRunKey() error { return removeRun() }

// StartProgram starts the program without a console, on its own.
func (p Place) StartProgram(args []string) error {
	if err := startDetached(p.ProgramFile(Windowed), args, p.Programs); err != nil {
		return fmt.Errorf("start %s: %w", Windowed, err)
	}
	return nil
}

// maxProgram bounds what is read of a program.
const maxProgram = 1 << 30

// StalePrograms are the programs that are not in place as they are in from.
func (p Place) StalePrograms(from string) (names []string, err error) {
	for _, name := range []string{Console, Windowed} {
		want, err := files.ReadFile(filepath.Join(from, name), maxProgram)
		if err != nil {
			return nil, fmt.Errorf("read program: %w", err)
		}
		is, err := files.ReadFile(p.ProgramFile(name), maxProgram)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read program: %w", err)
		}
		if !bytes.Equal(want, is) {
			names = append(names, name)
		}
	}
	return names, nil
}

// PutProgram copies a program into its place, whole or not at all.
func PutProgram(from, to string) error {
	b, err := files.ReadFile(from, maxProgram)
	if err == nil {
		err = state.WriteFile(to, b, 0o700)
	}
	if err != nil {
		return fmt.Errorf("copy program: %w", err)
	}
	return nil
}

// ExistingFiles are those of some files that are there.
func ExistingFiles(files []string) (list []string) {
	for _, f := range files {
		if _, err := os.Lstat(f); err == nil {
			list = append(list, f)
		}
	}
	return list
}

// RemovePath removes a file or an empty directory. One that is not there is no error, nor is a
// directory that somebody else has put something into.
func RemovePath(path string, dir bool) (err error) {
	exe, _ := os.Executable()
	switch {
	case dir:
		err = state.RemoveDir(path)
	case strings.EqualFold(exe, path): // Windows keeps the program that runs
		err = state.TryRemoveFile(path)
	default:
		err = state.RemoveFile(path)
	}
	if err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	return nil
}
