package install

import "testing"

// What the task that we register starts is read back from its text, as the Task Scheduler keeps it.
func TestTaskLine(t *testing.T) {
	p := At(`C:\Users\A & B\AppData\Local`, `C:\state`, "S-1-5-21-1")
	args := []string{"run", "--distro=Debian", `--pipe=a b"c`}
	text := utf16Text(utf16File(TaskXML(p, Task, args)))
	if got, want := taskLine(text), CommandLine(p.File(Windowed), args); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if got := taskLine(utf16Text([]byte(TaskXML(p, Task, nil)))); got != CommandLine(p.File(Windowed), nil) {
		t.Error(got)
	}
	for _, text := range []string{"", "x", "<Task/>", "<Task><Actions><ComHandler/></Actions></Task>"} {
		if got := taskLine(text); got != "" {
			t.Errorf("%q: %q", text, got)
		}
	}
}
