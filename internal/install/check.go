package install

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
)

// WrongError says what starts the program at logon is not what Install has made.
type WrongError struct {
	Text   string
	Repair bool // the user may make it right without anybody's leave: Repair does
}

func (e *WrongError) Error() string { return e.Text }

// CheckRecord looks whether what a record tells is there and starts the program. The error is a *WrongError
// if not, and an *OffError if that is switched off.
func (p Place) CheckRecord(ctx context.Context, r Record, service Registered) error {
	for _, name := range []string{Console, Windowed} {
		if _, err := os.Stat(p.ProgramFile(name)); err != nil {
			return &WrongError{Text: "a program of the installation is missing: " + p.ProgramFile(name)}
		}
	}
	want := CommandLine(p.ProgramFile(Windowed), r.Args)
	switch r.Form {
	case RunKey:
		return cmp.Or(wrongLine("the Run key", runLine(), want), p.WhySwitchedOff(ctx, r, service))
	case ByService:
		if t := ServiceTemplate(p, r.Args); service.ImagePath != t.ImagePath {
			return &WrongError{Text: fmt.Sprintf("the service starts %s, not %s", orNothing(service.ImagePath), t.ImagePath)}
		}
		return p.WhySwitchedOff(ctx, r, service)
	}
	if !p.HasTask(ctx, true) {
		return wrongLine("the scheduled task", "", want)
	}
	text, err := p.taskText(ctx)
	if err != nil {
		return nil // it is there; what it starts can't be told
	}
	if off := p.taskOff(text); off != nil {
		return off
	}
	line, told := taskLine(text)
	if !told {
		return nil
	}
	return wrongLine("the scheduled task", line, want)
}

func wrongLine(what, is, want string) error {
	if is == want {
		return nil
	}
	return &WrongError{Text: fmt.Sprintf("%s starts %s, not %s", what, orNothing(is), want), Repair: true}
}

func orNothing(line string) string {
	if line == "" {
		return "nothing"
	}
	return line
}

// RepairRecord registers again what a record tells, for a *WrongError that says so. It changes nothing else.
func (p Place) RepairRecord(ctx context.Context, r Record) error {
	switch r.Form {
	case Task:
		return p.AddTask(ctx, Task, r.Args)
	case RunKey:
		return p.SetRunKey(r.Args)
	}
	return errors.ErrUnsupported
}

// maxTask bounds what is read of a task.
const maxTask = 256 << 10

// taskText is the task as the Task Scheduler keeps it, or as schtasks prints it: the file is not for
// everybody's eyes everywhere.
func (p Place) taskText(ctx context.Context) (string, error) {
	f, err := files.OpenShared(os.Getenv("SystemRoot") + `\System32\Tasks\` + p.TaskName())
	if err == nil {
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxTask))
		return utf16Text(b), err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	b, err := outputOfHidden(ctx, "schtasks.exe", []string{"/Query", "/TN", p.TaskName(), "/XML"})
	return utf16Text(b), err
}

// utf16Text reads UTF-16, of either order with its mark or little-endian without, and leaves anything else as it is.
func utf16Text(b []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case len(b) > 1 && b[0] == 0xfe && b[1] == 0xff:
		order = binary.BigEndian
	case len(b) < 2 || b[0] != 0xff && b[1] != 0:
		return strings.TrimPrefix(string(b), "\ufeff")
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

func readTask(text string, into any) error {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded already
	return d.Decode(into)
}

// taskLine is the command line of a task, "" if it starts no program. Wine does not tell it.
func taskLine(text string) (line string, told bool) {
	var t struct {
		Actions struct {
			Exec *struct{ Command, Arguments string }
		}
	}
	switch err := readTask(text, &t); {
	case err != nil:
		return "", false
	case t.Actions.Exec == nil:
		return "", true
	case t.Actions.Exec.Command == "":
		return "", false
	}
	line = `"` + strings.Trim(t.Actions.Exec.Command, `"`) + `"`
	if args := strings.TrimSpace(t.Actions.Exec.Arguments); args != "" {
		line += " " + args
	}
	return line, true
}
