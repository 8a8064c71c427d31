package install

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

var update = flag.Bool("update", false, "write the golden files anew")

var me = PlaceAt(`C:\Users\Zoë A & B\AppData\Local`, `C:\Users\Zoë A & B\AppData\Local\docker-wsl-bridge`, "S-1-5-21-1-2-3-1001")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

// The whole task, as the Task Scheduler is given it: what it does at a logon, for whom, with
// which rights and without which limits.
func TestTaskXML(t *testing.T) {
	text := TaskXML(me, Task, []string{"run", "--distro=Debian", `--pipe=\\.\pipe\my "engine"`})
	golden(t, "task.xml", text)
	var task struct {
		User    string `xml:"Triggers>LogonTrigger>UserId"`
		Level   string `xml:"Principals>Principal>RunLevel"`
		Limit   string `xml:"Settings>ExecutionTimeLimit"`
		Command string `xml:"Actions>Exec>Command"`
		Args    string `xml:"Actions>Exec>Arguments"`
	}
	// The text names an encoding that it gets only in its file.
	if err := xml.Unmarshal([]byte(strings.Replace(text, "UTF-16", "UTF-8", 1)), &task); err != nil {
		t.Fatal(err)
	}
	if task.User != me.SID || task.Level != "LeastPrivilege" || task.Limit != "PT0S" || task.Command != me.ProgramFile(Windowed) ||
		task.Args != `run --distro=Debian "--pipe=\\.\pipe\my \"engine\""` {
		t.Errorf("%+v", task)
	}
	file := utf16File("é\n")
	if want := []byte{0xff, 0xfe, 0xe9, 0, '\r', 0, '\n', 0}; !slices.Equal(file, want) {
		t.Errorf("in a file: % x, want % x", file, want)
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, `"C:\a b\x.exe"`},
		{[]string{"run", "--distro=D"}, `"C:\a b\x.exe" run --distro=D`},
		{[]string{""}, `"C:\a b\x.exe" ""`},
		{[]string{`a b`, `\\.\pipe\x`}, `"C:\a b\x.exe" "a b" \\.\pipe\x`},
		{[]string{`a "b"`, `a\"`, `a b\`, `a \\"`}, `"C:\a b\x.exe" "a \"b\"" "a\\\"" "a b\\" "a \\\\\""`},
	} {
		if got := CommandLine(`C:\a b\x.exe`, c.args); got != c.want {
			t.Errorf("%q: %s, want %s", c.args, got, c.want)
		}
	}
}

// What Windows would not run is not put into the Run key.
func TestRunKeyTakes(t *testing.T) {
	spare := maxRun - len([]rune(CommandLine(me.ProgramFile(Windowed), []string{"run", "--socket="})))
	for text, fits := range map[string]bool{
		strings.Repeat("a", spare):                  true,
		strings.Repeat("a", spare+1):                false,
		strings.Repeat("é", spare):                  true,
		strings.Repeat("a", spare-2) + "\U0001F433": true, // two of UTF-16
		strings.Repeat("a", spare-1) + "\U0001F433": false,
	} {
		if err := me.RunKeyTakes([]string{"run", "--socket=" + text}); (err == nil) != fits || err != nil && !errors.Is(err, ErrLongRun) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Where the file is that an administrator's schtasks reads, nobody but one can write.
func TestTaskOfAnAdministratorIsOutOfReach(t *testing.T) {
	for _, p := range []Place{me, everywhere} {
		if got := p.taskFile(true, `C:\Program Files`); got != `C:\Program Files\docker-wsl-bridge\task.xml` || !slices.Contains(everywhere.OwnedPrograms(), got) {
			t.Errorf("elevated: %s", got)
		}
		if got := p.taskFile(false, `C:\Program Files`); got != me.State+`\task.xml` || !slices.Contains(me.OwnedFiles(), got) {
			t.Errorf("not elevated: %s", got)
		}
	}
}

func lines(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}

// What is changed, from everything that may be there.
func TestChanges(t *testing.T) {
	w := Want{Version: "2", From: `C:\Downloads`, Args: []string{"run", "--distro=D"}, Form: Task}
	key := w
	key.Form = RunKey
	done := Record{Version: "2", Form: Task, Programs: me.Programs, Args: w.Args}
	older, fallen, asked := done, done, done
	older.Version = "1"
	fallen.Form, fallen.Why = RunKey, "refused"
	asked.Form = RunKey
	both := []string{Console, Windowed}
	runs := []string{"the bridge for /s in D (pid 1)"}
	var b strings.Builder
	for _, c := range []struct {
		title string
		list  []Change
	}{
		{"install on a clean machine", PlanInstall(me, Seen{Stale: both}, w)},
		{"install on a clean machine, by the Run key", PlanInstall(me, Seen{Stale: both}, key)},
		{"install again", PlanInstall(me, Seen{Record: &done, Task: true, Bridges: runs}, w)},
		{"install again where the task was refused", PlanInstall(me, Seen{Record: &fallen, RunKey: true, Bridges: runs}, w)},
		{"install again, and it does not run", PlanInstall(me, Seen{Record: &done, Task: true}, w)},
		{"install over an older one", PlanInstall(me, Seen{Record: &older, Task: true, Stale: both, Bridges: runs}, w)},
		{"install after somebody has removed the task", PlanInstall(me, Seen{Record: &done, Bridges: runs}, w)},
		{"install by the Run key after the task", PlanInstall(me, Seen{Record: &done, Task: true, Bridges: runs}, key)},
		{"install by the task after the Run key", PlanInstall(me, Seen{Record: &asked, RunKey: true, Bridges: runs}, w)},
		{"uninstall", PlanUninstall(me, Seen{Record: &done, Task: true, Bridges: runs, Files: me.OwnedFiles()[:2], Cleaned: []string{"D"}, Stopped: []string{"E"}})},
		{"uninstall, purging", PlanUninstall(me, Seen{RunKey: true, Files: me.OwnedFiles()[5:6], Purge: true, Purged: []string{me.State + `\logs\D-1.log`}})},
		{"uninstall with distros that don't run", PlanUninstall(me, Seen{Stopped: []string{"D", "E"}, Made: []state.Made{
			{Distro: "D", Socket: "/run/x.sock"}, {Distro: "d", Context: "windows", User: "zoe"}, {Distro: "D", Context: "own", User: "al"}, {Distro: "F", Context: "f", User: "zoe"},
		}})},
		{"uninstall, purging once more when they run", PlanUninstall(me, Seen{Cleaned: []string{"D"}, Purge: true})},
		{"uninstall a task alone", PlanUninstall(me, Seen{Task: true})},
		{"uninstall again", PlanUninstall(me, Seen{Purge: true})},
	} {
		b.WriteString("# " + c.title + "\n" + lines(c.list) + "\n")
	}
	golden(t, "changes.txt", b.String())
}

// everywhere is the same user where the programs are everybody's.
var everywhere = me.ForAllUsers(`C:\Program Files`)

// What is changed by an administrator, and what is left to one.
func TestChangesOfAService(t *testing.T) {
	w := Want{Version: "2", From: `C:\Downloads`, Args: []string{"run", "--distro=D"}, Form: ByService, User: me.SID}
	all, others := w, w
	all.AllUsers, all.User = true, ""
	others.User = "S-1-5-21-1-2-3-1002"
	both := []string{Console, Windowed}
	there := Seen{
		Elevated: true, Record: &Record{Version: "2", Form: ByService, Programs: everywhere.Programs, Args: w.Args}, Task: true,
		Service:     Registered{ImagePath: ServiceTemplate(everywhere, w.Args).ImagePath, Instances: []string{ServiceName + "_1a2b3"}},
		Machine:     &Machine{Version: "2", Args: w.Args, Users: []string{me.SID}},
		EventSource: true, Bridges: []string{"the bridge for /s in D (pid 1)"}, Files: everywhere.OwnedFiles()[:2],
		Shared: everywhere,
	}
	earlier := Seen{Elevated: true, Shared: everywhere, Stale: both, Service: Registered{ImagePath: `"C:\tools\docker-wsl-bridge.exe" "socat x"`, Instances: []string{ServiceName + "_1a2b3"}}}
	if !earlier.Service.IsForeign(everywhere) || there.Service.IsForeign(everywhere) {
		t.Error("whose service it is is told wrongly")
	}
	inside, flags := earlier, there
	inside.Service.ImagePath = everywhere.ProgramFile(Console) + ` "socat x"`
	flags.Service.ImagePath = ServiceTemplate(everywhere, nil).ImagePath
	stopped, user, half := there, there, Seen{Elevated: true, Service: Registered{Instances: []string{ServiceName + "_1a2b3"}}}
	stopped.Bridges = nil
	user.Elevated = false
	stranger := there
	stranger.Record, stranger.Task, stranger.Bridges = nil, false, nil
	// Another user for whom it was installed, and one who has a task since it is everybody's.
	shared, everybodys := there, there
	shared.Machine = shared.Machine.WithWant(others)
	shared.OthersTasks, shared.Others = []string{"docker-wsl-bridge " + others.User}, shared.Machine.OtherUsers(me.SID)
	everybodys.Machine = everybodys.Machine.WithWant(all)
	everybodys.OthersTasks, everybodys.Others = shared.OthersTasks, shared.Others
	var b strings.Builder
	for _, c := range []struct {
		title string
		list  []Change
	}{
		{"install on a clean machine", MachineWide(everywhere, Seen{Elevated: true, Stale: both}, w)},
		{"install again", MachineWide(everywhere, there, w)},
		{"install again, and it does not run", MachineWide(everywhere, stopped, w)},
		{"install for another user, too", MachineWide(everywhere, Seen{Elevated: true, Service: there.Service, Machine: there.Machine, EventSource: true}, others)},
		{"install for everybody", MachineWide(everywhere, Seen{Elevated: true, Stale: both}, all)},
		{"install in place of the earlier program", MachineWide(everywhere, earlier, w)},
		{"install in place of the earlier program, which is in the same directory", MachineWide(everywhere, inside, w)},
		{"install with other flags", MachineWide(everywhere, flags, w)},
		{"uninstall", PlanUninstall(everywhere, there)},
		{"uninstall where another user has it, too", PlanUninstall(everywhere, shared)},
		{"uninstall where everybody has it", PlanUninstall(everywhere, everybodys)},
		{"uninstall without an administrator's rights", PlanUninstall(everywhere, user)},
		{"uninstall what is left of a template", PlanUninstall(everywhere, half)},
		{"uninstall where the earlier program is", PlanUninstall(everywhere, Seen{Elevated: true, Shared: everywhere, Service: earlier.Service})},
		{"uninstall by another administrator", PlanUninstall(me, stranger)},
	} {
		b.WriteString("# " + c.title + "\n" + lines(c.list) + "\n")
	}
	golden(t, "service-changes.txt", b.String())
	for _, p := range []Place{everywhere, me} {
		if n := CountPrivileged(PlanUninstall(p, user)); n != 6 {
			t.Errorf("%d changes are left to an administrator", n)
		}
	}
	if OfOthers(PlanUninstall(everywhere, there)) || !OfOthers(PlanUninstall(everywhere, shared)) || !OfOthers(PlanUninstall(everywhere, everybodys)) {
		t.Error("whether something is left of others is told wrongly")
	}
}

// The whole service as CreateService and ChangeServiceConfig2 are given it.
func TestService(t *testing.T) {
	text, err := json.MarshalIndent(ServiceTemplate(everywhere, []string{"run", `--pipe=\\.\pipe\my "engine"`}), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "service.json", string(text)+"\n")
}

// For whom an instance serves.
func TestMachineIsFor(t *testing.T) {
	w := Want{Version: "2", User: "S-1"}
	var none *Machine
	one := none.WithWant(w)
	two := one.WithWant(Want{Version: "2", User: "S-2"})
	all := two.WithWant(Want{Version: "3", AllUsers: true})
	for _, c := range []struct {
		m    *Machine
		sid  string
		want bool
	}{
		{none, "S-1", false}, {one, "S-1", true}, {one, "S-2", false}, {one, "", false},
		{two, "S-1", true}, {two, "S-2", true}, {all, "S-3", true},
	} {
		if c.m.IsFor(c.sid) != c.want {
			t.Errorf("%+v for %q: %v", c.m, c.sid, !c.want)
		}
	}
	if n := len(one.WithWant(w).Users); n != 1 {
		t.Errorf("%d users after the same one again", n)
	}
}

func TestParseForm(t *testing.T) {
	for text, want := range map[string]Form{"auto": Task, "": Task, "task": Task, "run-key": RunKey, "service": ByService, "other": "", "Task": ""} {
		if got, err := ParseForm(text, false); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if got, err := ParseForm("auto", true); got != ByService || err != nil {
		t.Errorf("elevated: %q, %v", got, err)
	}
}
