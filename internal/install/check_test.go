package install

import (
	"strings"
	"testing"
)

// What the task that we register starts is read back from its text, as the Task Scheduler keeps it.
func TestTaskLine(t *testing.T) {
	p := PlaceAt(`C:\Users\A & B\AppData\Local`, `C:\state`, "S-1-5-21-1")
	args := []string{"run", "--distro=Debian", `--pipe=a b"c`}
	text := utf16Text(utf16File(TaskXML(p, Task, args)))
	if got, told := taskLine(text); !told || got != CommandLine(p.ProgramFile(Windowed), args) {
		t.Errorf("%s, %v", got, told)
	}
	if got, told := taskLine(utf16Text([]byte("\ufeff" + TaskXML(p, Task, nil)))); !told || got != CommandLine(p.ProgramFile(Windowed), nil) {
		t.Errorf("%s, %v", got, told)
	}
	if off := strings.Replace(text, "</RestartOnFailure>", "</RestartOnFailure><Enabled>false</Enabled>", 1); p.taskOff(text) != nil || p.taskOff(strings.Replace(off, "<Enabled>true</Enabled>\r\n    <Hidden>", "<Hidden>", 1)) == nil {
		t.Error("whether it is disabled was misread")
	}
	for text, tells := range map[string]bool{"": false, "x": false, "<Task><Actions><Exec/></Actions></Task>": false, "<Task/>": true, "<Task><Actions><ComHandler/></Actions></Task>": true} {
		if got, told := taskLine(text); got != "" || told != tells {
			t.Errorf("%q: %q, %v", text, got, told)
		}
	}
}
