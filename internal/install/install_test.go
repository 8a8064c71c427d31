package install

import (
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

var me = At(`C:\Users\Zoë A & B\AppData\Local`, `C:\Users\Zoë A & B\AppData\Local\docker-wsl-bridge`, "S-1-5-21-1-2-3-1001")

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
	text := TaskXML(me, []string{"run", "--distro=Debian", `--pipe=\\.\pipe\my "engine"`})
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
	if task.User != me.SID || task.Level != "LeastPrivilege" || task.Limit != "PT0S" || task.Command != me.File(Windowed) ||
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
		{"install on a clean machine", Install(me, Seen{Stale: both}, w)},
		{"install on a clean machine, by the Run key", Install(me, Seen{Stale: both}, key)},
		{"install again", Install(me, Seen{Record: &done, Task: true, Bridges: runs}, w)},
		{"install again where the task was refused", Install(me, Seen{Record: &fallen, RunKey: true, Bridges: runs}, w)},
		{"install again, and it does not run", Install(me, Seen{Record: &done, Task: true}, w)},
		{"install over an older one", Install(me, Seen{Record: &older, Task: true, Stale: both, Bridges: runs}, w)},
		{"install after somebody has removed the task", Install(me, Seen{Record: &done, Bridges: runs}, w)},
		{"install by the Run key after the task", Install(me, Seen{Record: &done, Task: true, Bridges: runs}, key)},
		{"install by the task after the Run key", Install(me, Seen{Record: &asked, RunKey: true, Bridges: runs}, w)},
		{"uninstall", Uninstall(me, Seen{Record: &done, Task: true, Bridges: runs, Files: me.Owned()[:2], Cleaned: []string{"D"}, Stopped: []string{"E"}})},
		{"uninstall, purging", Uninstall(me, Seen{RunKey: true, Files: me.Owned()[4:5], Purged: []string{me.State + `\logs\D-1.log`}})},
		{"uninstall a task alone", Uninstall(me, Seen{Task: true})},
		{"uninstall again", Uninstall(me, Seen{})},
	} {
		b.WriteString("# " + c.title + "\n" + lines(c.list) + "\n")
	}
	golden(t, "changes.txt", b.String())
}

// What the record tells is told again, and a file that is none counts for nothing.
func TestRecord(t *testing.T) {
	p := Place{State: t.TempDir()}
	if r, err := p.Read(); r != nil || err != nil {
		t.Errorf("without a file: %+v, %v", r, err)
	}
	want := Record{Version: "1", Form: RunKey, Why: "refused", Programs: `C:\p`, Args: []string{"run"}}
	if err := p.Write(want); err != nil {
		t.Fatal(err)
	}
	if r, err := p.Read(); err != nil || r == nil || r.Why != want.Why || r.Form != RunKey || !slices.Equal(r.Args, want.Args) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"", "{", `{"form":"service"}`, strings.Repeat(" ", maxRecord) + `{"form":"task"}`} {
		if err := os.WriteFile(p.record(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := p.Read(); r != nil || err != nil {
			t.Errorf("%.20q: %+v, %v", text, r, err)
		}
	}
}

func TestParseForm(t *testing.T) {
	for text, want := range map[string]Form{"auto": Task, "": Task, "task": Task, "run-key": RunKey, "service": "", "Task": ""} {
		if got, err := ParseForm(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
