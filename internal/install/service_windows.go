package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	sourceKey = servicesPath + `\EventLog\Application\` + EventSource
	// endTime bounds the wait for a service that was told to end: its connections get 5 s.
	endTime = 30 * time.Second
)

func readMachine() (*Machine, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, MachineKey, registry.QUERY_VALUE)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is installed: %w", err)
	}
	defer k.Close()
	// What is missing there counts for nothing.
	m := &Machine{}
	m.Version, _, _ = k.GetStringValue("Version")
	m.Args, _, _ = k.GetStringsValue("Args")
	m.Users, _, _ = k.GetStringsValue("Users")
	all, _, _ := k.GetIntegerValue("AllUsers")
	m.AllUsers = all == 1
	return m, nil
}

func (m *Machine) writeRegistry() error {
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, MachineKey, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("write what is installed: %w", err)
	}
	all := uint32(0)
	if m.AllUsers {
		all = 1
	}
	err = errors.Join(k.SetStringValue("Version", m.Version), k.SetStringsValue("Args", m.Args),
		k.SetStringsValue("Users", m.Users), k.SetDWordValue("AllUsers", all), k.Close())
	if err != nil {
		return fmt.Errorf("write what is installed: %w", err)
	}
	return nil
}

func removeMachine() error { return removeKey(MachineKey) }

func removeKey(path string) error {
	if err := registry.DeleteKey(registry.LOCAL_MACHINE, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove key: %w", err)
	}
	return nil
}

// findServices reads the registry, where everybody may, and where a half-removed one is, too.
func findServices() (r Registered, err error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, servicesPath, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return r, fmt.Errorf("look for services: %w", err)
	}
	defer k.Close()
	names, err := k.ReadSubKeyNames(-1)
	if err != nil {
		return r, fmt.Errorf("look for services: %w", err)
	}
	for _, name := range names {
		switch lower := strings.ToLower(name); {
		case lower == ServiceName:
			if r.ImagePath = imagePath(name); r.ImagePath == "" {
				r.ImagePath = "(none)"
			}
			r.Start, r.NoInstances = startOf(name)
		case strings.HasPrefix(lower, ServiceName+"_"):
			r.Instances = append(r.Instances, name)
		}
	}
	return r, nil
}

func startOf(name string) (start uint64, noInstances bool) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, servicesPath+`\`+name, registry.QUERY_VALUE)
	if err != nil {
		return 0, false
	}
	defer k.Close()
	start, _, _ = k.GetIntegerValue("Start")
	flags, _, err := k.GetIntegerValue("UserServiceFlags")
	return start, err == nil && flags == 0
}

func imagePath(name string) string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, servicesPath+`\`+name, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	path, _, _ := k.GetStringValue("ImagePath")
	return path
}

func (t Template) createService() (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	texts, err := utf16Pointers(t.Name, t.DisplayName, t.ImagePath, t.Description)
	if err != nil {
		return err
	}
	h, err := windows.CreateService(m.Handle, texts[0], texts[1], windows.SERVICE_ALL_ACCESS,
		t.Type, t.Start, t.OnError, texts[2], nil, nil, nil, nil, nil)
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: t.Name, Handle: h}
	defer func() { err = errors.Join(err, s.Close()) }()
	actions := make([]mgr.RecoveryAction, len(t.Restart))
	for i, pause := range t.Restart {
		actions[i] = mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: pause}
	}
	about := windows.SERVICE_DESCRIPTION{Description: texts[3]}
	err = errors.Join(
		windows.ChangeServiceConfig2(h, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&about))),
		s.SetRecoveryActions(actions, uint32(t.Forget.Seconds())))
	if t.OnExitCode {
		err = errors.Join(err, s.SetRecoveryActionsOnNonCrashFailures(true))
	}
	if err != nil {
		err = errors.Join(err, s.Delete()) // no half of one
	}
	return err
}

func utf16Pointers(texts ...string) ([]*uint16, error) {
	list := make([]*uint16, len(texts))
	for i, s := range texts {
		p, err := windows.UTF16PtrFromString(s)
		if err != nil {
			return nil, err
		}
		list[i] = p
	}
	return list, nil
}

func removeService(name string) (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.OpenService(name)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// Deleted first: what recovery starts again would be deleted all the same.
	if err := s.Delete(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE) {
		return err
	}
	return awaitEnd(s)
}

// awaitEnd waits until a service has ended. A template never runs.
func awaitEnd(s *mgr.Service) error {
	status, err := s.Control(svc.Stop)
	for late := time.Now().Add(endTime); err == nil && status.State != svc.Stopped; {
		if time.Now().After(late) {
			return os.ErrDeadlineExceeded
		}
		time.Sleep(100 * time.Millisecond) // there is nothing to wait for with rights that do
		status, err = s.Query()
	}
	if err == nil || errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) || errors.Is(err, windows.ERROR_INVALID_SERVICE_CONTROL) {
		return nil
	}
	return err
}

// addEventSource names a program of Windows for the texts, whose events 1 to 1000 say what they are given.
func addEventSource() error {
	if hasEventSource() {
		return nil
	}
	return eventlog.InstallAsEventCreate(EventSource, eventlog.Error|eventlog.Warning|eventlog.Info)
}

func hasEventSource() bool {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, sourceKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	k.Close()
	return true
}

func removeEventSource() error { return removeKey(sourceKey) }

func programFiles() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramFiles, 0)
	if err != nil {
		return `C:\Program Files`
	}
	return dir
}

func isElevated() bool { return windows.GetCurrentProcessToken().IsElevated() }

// desktopUser is the user of the Explorer of this session.
func desktopUser() string {
	var session uint32
	if windows.ProcessIdToSessionId(uint32(os.Getpid()), &session) != nil {
		return ""
	}
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		var its uint32
		name := windows.UTF16ToString(entry.ExeFile[:])
		if !strings.EqualFold(name, "explorer.exe") || windows.ProcessIdToSessionId(entry.ProcessID, &its) != nil || its != session {
			continue
		}
		if sid := userOf(entry.ProcessID); sid != "" {
			return sid
		}
	}
	return ""
}

func userOf(pid uint32) string {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(process)
	var token windows.Token
	if windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token) != nil {
		return ""
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return ""
	}
	return user.User.Sid.String()
}
