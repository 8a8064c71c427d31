package install

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ServiceName is that of the per-user service, which is also the earlier program's.
const ServiceName = "docker.wsl.bridge"

// EventSource is the name under which events are in the Application log.
const EventSource = "docker-wsl-bridge"

// Template is a per-user service: at each logon Windows makes an instance of it, NAME_LUID, that
// runs in that user's session and as that user, which is where wsl.exe works.
type Template struct {
	Name        string
	DisplayName string
	Description string
	Type        uint32 // of CreateService (winnt.h)
	Start       uint32
	OnError     uint32
	ImagePath   string

	// What Windows does when an instance ends by itself: the pauses before it is started
	// again, the last one for all that follow, and when that is forgotten.
	Restart    []time.Duration
	Forget     time.Duration
	OnExitCode bool // also when it ended with an exit code, not only when it vanished
}

// Numbers of winnt.h.
const (
	userOwnProcess = 0x50 // SERVICE_USER_OWN_PROCESS
	autoStart      = 2    // SERVICE_AUTO_START
	demandStart    = 3    // SERVICE_DEMAND_START
	disabled       = 4    // SERVICE_DISABLED
	errorNormal    = 1    // SERVICE_ERROR_NORMAL
)

// servicesPath is where services are, under HKEY_LOCAL_MACHINE.
const servicesPath = `SYSTEM\CurrentControlSet\Services`

// ServiceTemplate is the template that starts the program of a place.
func ServiceTemplate(p Place, args []string) Template {
	return Template{
		Name:        ServiceName,
		DisplayName: "Docker bridge for WSL2",
		Description: "Serves the Docker engine of Windows in WSL2 (docker-wsl-bridge)",
		Type:        userOwnProcess,
		Start:       autoStart,
		OnError:     errorNormal,
		ImagePath:   CommandLine(p.ProgramFile(Windowed), serviceArgs(args)),
		Restart:     []time.Duration{time.Second, 10 * time.Second, time.Minute},
		Forget:      24 * time.Hour,
		OnExitCode:  true,
	}
}

// serviceArgs are those of an instance, which every user has: one for whom nothing is
// installed ends quietly.
func serviceArgs(args []string) []string {
	return append(slices.Clone(args), "--if-installed")
}

// Machine is what an installation for the whole machine remembers, where only administrators write
// and everybody reads.
type Machine struct {
	Version  string
	Args     []string
	AllUsers bool
	Users    []string // SIDs of those for whom it was installed
}

// IsFor tells whether it was installed for a user.
func (m *Machine) IsFor(sid string) bool {
	return m != nil && (m.AllUsers || slices.Contains(m.Users, sid))
}

// OtherUsers are those for whom it was installed by name, but for one.
func (m *Machine) OtherUsers(sid string) (sids []string) {
	if m != nil {
		sids = slices.DeleteFunc(slices.Clone(m.Users), func(u string) bool { return u == sid })
	}
	return sids
}

// IsMarked tells whether a service's instance is to serve this process' user.
func IsMarked() (bool, error) {
	sid, err := CurrentSID()
	if err != nil {
		return false, fmt.Errorf("find user: %w", err)
	}
	m, err := ReadMachine()
	return m.IsFor(sid), err
}

// ReadMachine gives what is installed for the machine, nil if nothing is.
func ReadMachine() (*Machine, error) { return readMachine() }

// WriteRecord replaces the record. It takes an administrator.
func (m *Machine) WriteRecord() error { return m.writeRegistry() }

// RemoveMachine removes the record. One that is not there is no error.
func RemoveMachine() error { return removeMachine() }

// Registered is what there is of services of our name.
type Registered struct {
	ImagePath string   // of the template; empty: there is none
	Instances []string // their names
	Start     uint64   // of the template: when an instance is started, as Template has it; 0: that can't be told

	NoInstances bool // the template has none: UserServiceFlags is 0 (Microsoft, "Per-user services in Windows")
}

// LookForService looks for the service, for which it takes no rights.
func LookForService() (Registered, error) { return findServices() }

// IsForeign tells that a service of our name is not one of this place: the earlier program's.
func (r Registered) IsForeign(p Place) bool {
	return r.ImagePath != "" && !strings.HasPrefix(strings.ToLower(r.ImagePath), strings.ToLower(`"`+p.ProgramFile(Windowed)+`"`))
}

// holdsFilesOf tells that what it starts are files of the place, which can't be replaced while they run.
func (r Registered) holdsFilesOf(p Place) bool {
	return strings.Contains(strings.ToLower(r.ImagePath), strings.ToLower(p.Programs)+`\`)
}

// AddService registers the service. It takes an administrator.
func (t Template) AddService() error {
	if err := t.createService(); err != nil {
		return fmt.Errorf("add service %s: %w", t.Name, err)
	}
	return nil
}

// RemoveService ends and removes a service, a template or an instance. One that is not there is no
// error.
func RemoveService(name string) error {
	if err := removeService(name); err != nil {
		return fmt.Errorf("remove service %s: %w", name, err)
	}
	return nil
}

// AddEventSource has the Event Log show our events with their text.
func AddEventSource() error { return addEventSource() }

// HasEventSource tells whether that was done.
func HasEventSource() bool { return hasEventSource() }

// RemoveEventSource undoes it. One that is not there is no error.
func RemoveEventSource() error { return removeEventSource() }

// ProgramFiles is the directory of programs for all users. It is not the variable of that name, which
// a user may set for his own administrator's windows.
func ProgramFiles() string { return programFiles() }

// IsElevated tells whether this process has an administrator's rights.
func IsElevated() bool { return isElevated() }

// DesktopUser is the SID of the user whose desktop this is, empty if that can't be told: an
// administrator's window may be on another user's.
func DesktopUser() string { return desktopUser() }

// MachineWide are the changes that lead to a service: none, if it is there and runs.
func MachineWide(p Place, seen Seen, w Want) (list []Change) {
	add := func(do Do, what, note string) { list = append(list, Change{do, what, note}) }
	t := ServiceTemplate(p, w.Args)
	same := seen.Service.ImagePath == t.ImagePath && len(seen.Stale) == 0 && seen.EventSource && seen.Machine.hasAll(w) &&
		(w.User == "" || seen.Task && seen.Record != nil && seen.Record.Form == ByService)
	if same && (len(seen.Bridges) > 0 || w.User == "") {
		return nil
	}
	for _, b := range seen.Bridges {
		add(Stop, b, "")
	}
	var old []Change
	if seen.Service.ImagePath != "" && seen.Service.ImagePath != t.ImagePath {
		old = removeServices(seen.Service)
	}
	if seen.Service.holdsFilesOf(p) {
		list, old = append(list, old...), nil
	}
	for _, name := range seen.Stale {
		add(Copy, p.ProgramFile(name), "from "+w.From)
	}
	// Another program's service goes when all is there but the name, and its instances when that is ours.
	if len(old) > 0 {
		list, old = append(list, old[0]), old[1:]
	}
	if seen.Service.ImagePath != t.ImagePath {
		add(AddService, t.Name, t.ImagePath)
	}
	list = append(list, old...)
	if !seen.EventSource {
		add(AddSource, EventSource, "in the Application log")
	}
	if !seen.Machine.hasAll(w) {
		add(AddMark, forWhom(w), "for whom its instances serve")
	}
	if w.User != "" {
		if !same {
			add(AddTask, p.TaskName(), "to start it now, with the user's own rights")
		}
		add(Start, p.ProgramFile(Windowed), strings.Join(w.Args, " "))
	}
	return list
}

// hasAll tells whether nothing is to be added to the record.
func (m *Machine) hasAll(w Want) bool {
	return m != nil && m.Version == w.Version && slices.Equal(m.Args, w.Args) &&
		(m.AllUsers || !w.AllUsers && m.IsFor(w.User))
}

// WithWant is the record with what is wanted added.
func (m *Machine) WithWant(w Want) *Machine {
	next := &Machine{Version: w.Version, Args: w.Args, AllUsers: w.AllUsers}
	if m != nil {
		next.AllUsers = next.AllUsers || m.AllUsers
		next.Users = m.Users
	}
	if w.User != "" && !slices.Contains(next.Users, w.User) {
		next.Users = append(slices.Clone(next.Users), w.User)
	}
	return next
}

func forWhom(w Want) string {
	if w.AllUsers {
		return "every user"
	}
	return w.User
}

// removeServices removes the template first: it would make instances again.
func removeServices(r Registered) (list []Change) {
	if r.ImagePath != "" {
		list = append(list, Change{RemoveServ, ServiceName, r.ImagePath})
	}
	for _, name := range r.Instances {
		list = append(list, Change{RemoveServ, name, "an instance"})
	}
	return list
}

// uninstallMachine are the changes that leave nothing for the machine. Without an administrator's
// rights they are named only.
func uninstallMachine(seen Seen) (list []Change) {
	if !seen.Service.IsForeign(seen.Shared) {
		list = append(list, removeServices(seen.Service)...)
	}
	for _, name := range seen.OthersTasks {
		list = append(list, Change{RemoveTask, name, "another user's"})
	}
	if seen.EventSource {
		list = append(list, Change{RemoveSource, EventSource, ""})
	}
	if seen.Machine != nil {
		list = append(list, Change{RemoveMark, MachineKey, ""})
	}
	if !seen.Elevated {
		for i, c := range list {
			list[i] = Change{Leave, c.What, needsAdmin}
		}
		return list
	}
	others := seen.Others
	if seen.Machine != nil && seen.Machine.AllUsers {
		others = []string{"every other user"}
	}
	for _, who := range others {
		list = append(list, Change{Leave, who, othersStay})
	}
	return list
}

// othersStay is the note of another user, who alone may remove that: it is in the user's own directory.
const othersStay = "the user's record, logs and what is in the user's distros stay"

// OfOthers tells whether something of other users is left.
func OfOthers(list []Change) bool {
	return slices.ContainsFunc(list, func(c Change) bool { return c.Do == Leave && c.Note == othersStay })
}

// MachineKey is where the machine's record is, under HKEY_LOCAL_MACHINE.
const MachineKey = `SOFTWARE\docker-wsl-bridge`
