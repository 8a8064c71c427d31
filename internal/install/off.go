package install

import (
	"context"
	"strings"
)

// Windows has switches that leave what starts a program where it is, and keep it from doing so. Whoever
// has used one wanted that: Install and Repair leave it as it is, and it is said.

// approvedPath is where Task Manager and the settings keep their switches for values of the user's Run key.
// The first byte of such a value is odd for one that is switched off, 03 or 07, and even for one that is on,
// 02 or 06; a time follows. What has no value there is on. (https://superuser.com/questions/1098450)
const approvedPath = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`

// runPolicyPath has the policy "Do not process the legacy run list" (Logon.admx).
const (
	runPolicyPath  = `Software\Microsoft\Windows\CurrentVersion\Policies\Explorer`
	runPolicyValue = "DisableCurrentUserRun"
)

func switchedOff(approved []byte) bool { return len(approved) > 0 && approved[0]&1 == 1 }

// OffError says that Windows does not start at logon what is registered, since somebody has switched it off.
type OffError struct {
	Text string
	// Purpose and Command switch it on; without a command Purpose tells how.
	Purpose, Command string
}

func (e *OffError) Error() string { return "it is switched off: " + e.Text }

// WhySwitchedOff looks whether somebody has switched off what starts the program at logon. The error is an *OffError if so.
func (p Place) WhySwitchedOff(ctx context.Context, r Record, service Registered) error {
	var off *OffError
	switch r.Form {
	case RunKey:
		off = runOff(approvedValue(), runPolicy())
	case ByService:
		off = service.templateOff()
	case Task:
		text, _ := p.taskText(ctx) // what can't be read says nothing
		off = p.taskOff(text)
	}
	if off == nil {
		return nil
	}
	return off
}

func runOff(approved []byte, policy bool) *OffError {
	switch {
	case switchedOff(approved):
		return &OffError{
			"Task Manager has it disabled under Startup apps",
			"to switch it on (or enable " + RunValue + " in Task Manager under Startup apps)",
			`reg delete HKCU\` + approvedPath + ` /v ` + RunValue + ` /f`,
		}
	case policy:
		return &OffError{
			"a policy has Windows ignore the Run key (" + runPolicyValue + ")",
			"to have a scheduled task start it",
			"docker-wsl-bridge install --at-logon task",
		}
	}
	return nil
}

// templateOff is about the template: an instance has what its template had at the logon.
func (r Registered) templateOff() *OffError {
	const purpose = "to switch it on from the next logon on, in a window that was opened with \"Run as administrator\""
	switch {
	case r.ImagePath == "":
		return nil
	case r.Start == disabled || r.Start == demandStart:
		how := "disabled"
		if r.Start == demandStart {
			how = "set to be started by hand"
		}
		return &OffError{"the service " + ServiceName + " is " + how, purpose, "sc.exe config " + ServiceName + " start= auto"}
	case r.NoInstances:
		return &OffError{
			"Windows makes no instances of the service " + ServiceName + " (UserServiceFlags is 0)",
			purpose,
			`reg add HKLM\` + servicesPath + `\` + ServiceName + " /v UserServiceFlags /t REG_DWORD /d 3 /f",
		}
	}
	return nil
}

// taskOff reads a task as taskText gives it. One that is on for its trigger alone, or as a whole alone, is off.
func (p Place) taskOff(text string) *OffError {
	var t struct {
		Triggers struct {
			LogonTrigger []struct{ Enabled string }
		}
		Settings struct{ Enabled string }
	}
	if readTask(text, &t) != nil {
		return nil
	}
	if isFalse(t.Settings.Enabled) {
		return &OffError{"the scheduled task is disabled", "to switch it on", `schtasks /Change /TN "` + p.TaskName() + `" /ENABLE`}
	}
	for _, trigger := range t.Triggers.LogonTrigger {
		if !isFalse(trigger.Enabled) {
			return nil
		}
	}
	if len(t.Triggers.LogonTrigger) == 0 {
		return nil // what else starts it is somebody's own
	}
	return &OffError{"the scheduled task's trigger is disabled", "to switch it on, open Task Scheduler, its library, and in " + p.TaskName() + " under Triggers tick Enabled", ""}
}

// isFalse reads a boolean of XML Schema. An element that is missing is true in a task.
func isFalse(s string) bool {
	s = strings.TrimSpace(s)
	return s == "false" || s == "0"
}
