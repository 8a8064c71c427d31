// Package install has the program started at its user's logon, and undoes that.
//
// It knows files, the scheduled task, the Run key, what is recorded of distros, and which changes lead from what is
// there to what is wanted. It does not know what the program does, nor how a running one
// is ended.
//
// Law: a change is named before it is made, and can be made again; nothing is removed that
// an installation does not make; nothing but a service needs more rights than the user's.
package install

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// The programs: the one for people, and the same without a console.
const (
	Console  = "docker-wsl-bridge.exe"
	Windowed = "docker-wsl-bridgew.exe"
)

// Form is what starts the program.
type Form string

// The forms.
const (
	Task      Form = "task"    // a scheduled task at the user's logon
	RunKey    Form = "run-key" // a value of the user's Run key, which Explorer obeys
	ByService Form = "service" // a per-user service, and a task to start it by hand
)

// Record is what an installation for one user remembers of itself. A service's is a Machine.
type Record struct {
	Version  string   `json:"version"` // of the program
	Form     Form     `json:"form"`
	Why      string   `json:"why,omitempty"` // why it is not the task
	Programs string   `json:"programs"`      // the directory
	Args     []string `json:"args"`          // what the program is started with
}

// Place is where one user's installation is. Paths are Windows'.
type Place struct {
	Programs string // the directory of the programs
	State    string // that of the user's state
	SID      string // the user
}

// PlaceAt is the place of a user with this %LOCALAPPDATA% and state directory.
func PlaceAt(local, state, sid string) Place {
	return Place{Programs: strings.TrimRight(local, `\`) + `\Programs\docker-wsl-bridge`, State: state, SID: sid}
}

// ForAllUsers is the same user's place with the programs of all users, who can't change them there.
func (p Place) ForAllUsers(programFiles string) Place {
	p.Programs = strings.TrimRight(programFiles, `\`) + `\docker-wsl-bridge`
	return p
}

// ProgramFile is a program's.
func (p Place) ProgramFile(name string) string { return p.Programs + `\` + name }

// TaskName has the user in it: the names of tasks are the machine's.
func (p Place) TaskName() string { return taskPrefix + p.SID }

const taskPrefix = "docker-wsl-bridge "

const recordName = "installed.json"

func (p Place) recordFile() string { return p.State + `\` + recordName }

// maxRecord bounds what is read of a record.
const maxRecord = 64 << 10

// ReadRecord gives the record, nil if there is none. A file that is none counts for nothing: what it
// should tell is looked for.
func (p Place) ReadRecord() (*Record, error) {
	b, err := state.ReadFile(filepath.Join(p.State, recordName), maxRecord)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, state.ErrForeign) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is installed: %w", err)
	}
	var r Record
	if json.Unmarshal(b, &r) != nil || r.Form != Task && r.Form != RunKey {
		return nil, nil
	}
	return &r, nil
}

// WriteRecord replaces the record.
func (p Place) WriteRecord(r Record) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = state.WriteFile(filepath.Join(p.State, recordName), append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write what is installed: %w", err)
	}
	return nil
}

// Seen is what is there.
type Seen struct {
	Record  *Record
	Files   []string // those of the installation that are there, whole paths
	Stale   []string // names of programs that are not those to be installed
	Task    bool
	RunKey  bool
	Bridges []string // of the installed program that run, in words
	Purged  []string // files that a purge removes; Purge is whether there is one

	Elevated    bool  // with an administrator's rights
	Shared      Place // with the programs of all users, which the service starts if it is ours
	Service     Registered
	Machine     *Machine
	EventSource bool

	Made    []state.Made // in distros
	Cleaned []string     // distros in which something was made and that are to be cleaned
	Stopped []string     // those that don't run and are left

	Purge bool

	OthersTasks []string // names of other users' tasks that start the machine's program
	Others      []string // SIDs of users who may have something of it
}

// Do is a kind of change.
type Do string

// The changes.
const (
	Stop         Do = "stop"
	Copy         Do = "copy"
	AddTask      Do = "add-task"
	AddRunKey    Do = "add-run-key"
	AddRecord    Do = "write"
	Start        Do = "start"
	AddService   Do = "add-service"
	AddSource    Do = "add-source"
	AddMark      Do = "mark"
	RemoveTask   Do = "remove-task"
	RemoveRun    Do = "remove-run-key"
	RemoveFile   Do = "remove"
	RemoveDir    Do = "remove-directory" // if it is empty
	RemoveServ   Do = "remove-service"
	RemoveSource Do = "remove-source"
	RemoveMark   Do = "remove-mark"
	Clean        Do = "clean-distro"
	Leave        Do = "leave" // no change, but worth to be told
)

// Change is one of them.
type Change struct {
	Do   Do     `json:"do"`
	What string `json:"what"`
	Note string `json:"note,omitempty"`
}

func (c Change) String() string {
	if c.Note == "" {
		return fmt.Sprintf("%-16s  %s", c.Do, c.What)
	}
	return fmt.Sprintf("%-16s  %s  (%s)", c.Do, c.What, c.Note)
}

// Want is what is to be installed.
type Want struct {
	Version string
	From    string // the directory of the download
	Args    []string
	Form    Form // RunKey, or what is tried first

	User     string // of a service: the SID of whom it is installed for, empty if only AllUsers are meant
	AllUsers bool
}

// PlanInstall are the changes that lead from what is seen to what is wanted: none, if that is there
// and runs.
func PlanInstall(p Place, seen Seen, w Want) (list []Change) {
	same := seen.Record != nil && seen.Record.Version == w.Version && slices.Equal(seen.Record.Args, w.Args) &&
		seen.Record.Programs == p.Programs && len(seen.Stale) == 0 && isRegistered(seen, w.Form)
	if same && len(seen.Bridges) > 0 {
		return nil
	}
	for _, b := range seen.Bridges {
		list = append(list, Change{Stop, b, ""})
	}
	for _, name := range seen.Stale {
		list = append(list, Change{Copy, p.ProgramFile(name), "from " + w.From})
	}
	if !same {
		line := CommandLine(p.ProgramFile(Windowed), w.Args)
		switch {
		case w.Form == Task:
			list = append(list, Change{AddTask, p.TaskName(), line})
		case seen.Task:
			list = append(list, Change{RemoveTask, p.TaskName(), ""})
		}
		switch {
		case w.Form == RunKey:
			list = append(list, Change{AddRunKey, RunValue, line})
		case seen.RunKey:
			list = append(list, Change{RemoveRun, RunValue, ""})
		}
		list = append(list, Change{AddRecord, p.recordFile(), ""})
	}
	return append(list, Change{Start, p.ProgramFile(Windowed), strings.Join(w.Args, " ")})
}

// isRegistered tells whether the form that is wanted, or one that was taken in its place, is there.
func isRegistered(seen Seen, want Form) bool {
	switch seen.Record.Form {
	case Task:
		return want == Task && seen.Task
	case RunKey:
		return seen.RunKey && (want == RunKey || seen.Record.Why != "")
	}
	return false
}

// PlanUninstall are the changes that leave nothing, from whatever is there.
func PlanUninstall(p Place, seen Seen) (list []Change) {
	add := func(do Do, what, note string) { list = append(list, Change{do, what, note}) }
	for _, b := range seen.Bridges {
		add(Stop, b, "")
	}
	list = append(list, uninstallMachine(seen)...)
	if seen.Task {
		add(RemoveTask, p.TaskName(), "")
	}
	if seen.RunKey {
		add(RemoveRun, RunValue, "")
	}
	for _, d := range seen.Cleaned {
		add(Clean, d, "the agent's file, our sockets and docker contexts")
	}
	for _, d := range seen.Stopped {
		add(Leave, d, whatStays(d, seen.Made))
	}
	list = append(list, removeFiles(p, seen)...)
	if seen.Purge && len(list) > 0 {
		for _, d := range []string{`\logs`, `\run`, `\made`, ""} {
			add(RemoveDir, p.State+d, "")
		}
	}
	return list
}

// removeFiles removes files and what they leave empty. Where only administrators write they are
// named to who is none.
func removeFiles(p Place, seen Seen) (list []Change) {
	dirs := map[string]bool{}
	files := slices.Clone(seen.Files)
	if seen.Purge {
		files = append(files, seen.Purged...)
	}
	for _, f := range files {
		dir := f[:strings.LastIndex(f, `\`)+1]
		program := strings.HasSuffix(dir, `\docker-wsl-bridge\`) && dir != p.State+`\`
		if program && !seen.Elevated && !strings.HasPrefix(f, p.homeDir()) {
			list = append(list, Change{Leave, f, needsAdmin})
			continue
		}
		list = append(list, Change{RemoveFile, f, ""})
		if program {
			dirs[dir] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		list = append(list, Change{RemoveDir, strings.TrimRight(dir, `\`), ""})
	}
	return list
}

// homeDir is the directory that the user's state is in.
func (p Place) homeDir() string { return p.State[:strings.LastIndex(p.State, `\`)+1] }

// needsAdmin is the note of what is left to an administrator.
const needsAdmin = "it takes an administrator"

// CountPrivileged counts the changes that are left to an administrator.
func CountPrivileged(list []Change) (n int) {
	for _, c := range list {
		if c.Do == Leave && c.Note == needsAdmin {
			n++
		}
	}
	return n
}

// OwnedFiles are the files that an installation may have made.
func (p Place) OwnedFiles() []string {
	return append(p.OwnedPrograms(), p.recordFile(), p.recordFile()+".new", p.taskFile(false, ""))
}

// OwnedPrograms are those of them in the directory of the programs.
func (p Place) OwnedPrograms() []string {
	return []string{p.ProgramFile(Console), p.ProgramFile(Windowed), p.ProgramFile(Console) + ".new", p.ProgramFile(Windowed) + ".new", p.ProgramFile(taskFileName)}
}

// ParseForm reads what a person asks for: auto is the service for who may install one, else the
// task and, where that can't be, the Run key.
func ParseForm(s string, elevated bool) (Form, error) {
	switch f := Form(cmp.Or(s, "auto")); {
	case f == "auto" && elevated:
		return ByService, nil
	case f == "auto":
		return Task, nil
	case f == Task, f == RunKey, f == ByService:
		return f, nil
	}
	return "", fmt.Errorf("there is no way %q; write auto, service, task or run-key", s)
}

// whatStays says what is left in a distro that does not run.
func whatStays(distro string, made []state.Made) string {
	var contexts []string
	for _, m := range made {
		if m.Context != "" && strings.EqualFold(m.Distro, distro) {
			contexts = append(contexts, fmt.Sprintf("the docker context %s of %s", m.Context, m.User))
		}
	}
	slices.Sort(contexts)
	if contexts == nil {
		contexts = []string{"a docker context in its user's home"}
	}
	return "it does not run; what is in its /run goes with it, but not " + strings.Join(contexts, ", ")
}
