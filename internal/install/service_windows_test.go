package install

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// The template's calls for real, but for its type and for recovery after an exit code: Wine's service
// control manager knows neither, and refuses both. What is refused leaves nothing.
func TestServiceIsRegisteredAndRemoved(t *testing.T) {
	place := Place{SID: "S-1"}.ForAllUsers(`C:\Program Files`)
	template := ServiceTemplate(place, []string{"run"})
	if err := template.AddService(); !errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		t.Fatalf("a per-user service: %v", err)
	}
	template.Type = windows.SERVICE_WIN32_OWN_PROCESS
	if err := template.AddService(); !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		t.Fatalf("with recovery after an exit code: %v", err)
	}
	if r, err := LookForService(); err != nil || r.ImagePath != "" {
		t.Errorf("refused, and there: %+v, %v", r, err)
	}
	template.OnExitCode = false
	if err := template.AddService(); err != nil {
		t.Fatal(err)
	}
	r, err := LookForService()
	if err != nil || r.ImagePath != template.ImagePath || r.IsForeign(place) || len(r.Instances) != 0 {
		t.Errorf("there is %+v, %v", r, err)
	}
	// An instance as Windows names it, which its template leaves behind.
	instance := template
	instance.Name += "_1a2b3"
	instance.DisplayName += "_1a2b3"
	if err := instance.AddService(); err != nil {
		t.Fatal(err)
	}
	if r, err := LookForService(); err != nil || !slices.Equal(r.Instances, []string{instance.Name}) {
		t.Errorf("there is %+v, %v", r, err)
	}
	for _, name := range []string{template.Name, instance.Name, template.Name} { // the last one is gone
		if err := RemoveService(name); err != nil {
			t.Error(err)
		}
	}
	if r, err := LookForService(); err != nil || r.ImagePath != "" || len(r.Instances) > 0 {
		t.Errorf("left: %+v, %v", r, err)
	}
}

// A service that was removed is there again with all that is told of it. Wine tells no dependencies.
func TestEarlierServiceIsPutBack(t *testing.T) {
	m, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Disconnect()
	texts, err := utf16Pointers(ServiceName, "The earlier one", `C:\tools\docker-wsl-bridge.exe "socat x"`, "the group")
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateService(m.Handle, texts[0], texts[1], windows.SERVICE_ALL_ACCESS, windows.SERVICE_WIN32_OWN_PROCESS|windows.SERVICE_INTERACTIVE_PROCESS,
		windows.SERVICE_DEMAND_START, windows.SERVICE_ERROR_IGNORE, texts[2], texts[3], nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	about := windows.SERVICE_DESCRIPTION{Description: windows.StringToUTF16Ptr("What it is for")}
	if err := errors.Join(windows.ChangeServiceConfig2(h, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&about))), windows.CloseServiceHandle(h)); err != nil {
		t.Fatal(err)
	}
	before := allOf(t, ServiceName)
	if none, err := ReadEarlier(ServiceName + ".none"); none != nil || err != nil {
		t.Errorf("a service that is not there: %v, %v", none, err)
	}
	e, err := ReadEarlier(ServiceName)
	if err != nil || e == nil || e.WasRunning() {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := e.RemoveService(); err != nil {
		t.Fatal(err)
	}
	if r, err := LookForService(); err != nil || r.ImagePath != "" {
		t.Fatalf("removed, and there: %+v, %v", r, err)
	}
	if err := e.PutBack(); err != nil {
		t.Fatal(err)
	}
	if after := allOf(t, ServiceName); after != before || !strings.Contains(before, "What it is for") {
		t.Errorf("it is\n%s, and was\n%s", after, before)
	}
	if err := e.PutBack(); err != nil || allOf(t, ServiceName) != before {
		t.Errorf("put back when it is there: %v", err)
	}
	if err := RemoveService(ServiceName); err != nil {
		t.Fatal(err)
	}
}

// allOf is a service as the registry has it.
func allOf(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("reg.exe", "query", `HKLM\`+servicesPath+`\`+name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestMachineRecord(t *testing.T) {
	t.Cleanup(func() {
		if err := errors.Join(RemoveMachine(), RemoveMachine()); err != nil {
			t.Error(err)
		}
	})
	if m, err := ReadMachine(); m != nil || err != nil {
		t.Fatalf("at the beginning: %+v, %v", m, err)
	}
	if is, err := IsMarked(); is || err != nil {
		t.Errorf("marked without a record: %v, %v", is, err)
	}
	sid, err := CurrentSID()
	if err != nil {
		t.Fatal(err)
	}
	want := (*Machine)(nil).WithWant(Want{Version: "1", Args: []string{"run", "--distro=D"}, User: sid})
	if err := want.WriteRecord(); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMachine()
	if err != nil || m == nil || m.Version != "1" || !slices.Equal(m.Args, want.Args) || m.AllUsers || !slices.Equal(m.Users, want.Users) {
		t.Errorf("%+v, %v", m, err)
	}
	if is, err := IsMarked(); !is || err != nil {
		t.Errorf("not marked: %v, %v", is, err)
	}
}

func TestEventSource(t *testing.T) {
	if HasEventSource() {
		t.Fatal("it is there already")
	}
	for range 2 {
		if err := AddEventSource(); err != nil || !HasEventSource() {
			t.Fatalf("%v", err)
		}
	}
	for range 2 {
		if err := RemoveEventSource(); err != nil || HasEventSource() {
			t.Fatalf("%v", err)
		}
	}
}

// Other users' tasks are found by the machine's record, or by what they start, and removed; one that starts its
// user's own program is not.
func TestOthersTasks(t *testing.T) {
	place := Place{SID: "S-1-5-21-7-7-7-1001"}.ForAllUsers(`C:\Program Files`)
	dir := os.Getenv("SystemRoot") + `\System32\Tasks\`
	for _, c := range []struct{ sid, starts string }{
		{"S-1-5-21-7-7-7-1001", place.ProgramFile(Windowed)}, // the place's own
		{"S-1-5-21-7-7-7-1002", ""},                          // Wine tells no command
		{"S-1-5-21-7-7-7-1003", strings.ToUpper(place.ProgramFile(Windowed))},
		{"S-1-5-21-7-7-7-1004", PlaceAt(`C:\Users\d\AppData\Local`, "", "").ProgramFile(Windowed)},
	} {
		other := place
		other.SID = c.sid
		text := strings.Replace(TaskXML(other, ByService, nil), escapeXML(place.ProgramFile(Windowed)), escapeXML(c.starts), 1)
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(dir+other.TaskName(), utf16File(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(dir + other.TaskName()) })
	}
	m := &Machine{Users: []string{place.SID, "S-1-5-21-7-7-7-1002"}}
	want := []string{"S-1-5-21-7-7-7-1002", "S-1-5-21-7-7-7-1003"}
	if got := place.OthersTasks(t.Context(), m); !slices.Equal(got, want) {
		t.Errorf("they are %q, want %q", got, want)
	}
	if got := place.OthersTasks(t.Context(), &Machine{AllUsers: true}); !slices.Equal(got, want[1:]) {
		t.Errorf("for everybody: %q, want %q", got, want[1:])
	}
	for _, sid := range want {
		if err := RemoveOthersTask(t.Context(), Place{SID: sid}.TaskName()); err != nil {
			t.Error(err)
		}
	}
	if got := place.OthersTasks(t.Context(), nil); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

// Whose desktop it is can be told, or not, and nobody else's is told.
func TestDesktopUser(t *testing.T) {
	sid, err := CurrentSID()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("elevated: %v; the desktop's user is %q", IsElevated(), DesktopUser())
	if is := DesktopUser(); is != "" && is != sid {
		t.Errorf("the desktop is %s's, want %s's", is, sid)
	}
}
