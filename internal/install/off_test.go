package install

import (
	"errors"
	"strings"
	"testing"
)

// The first byte of Task Manager's value tells: odd is off, even is on, none is on.
func TestTaskManagersSwitchIsRead(t *testing.T) {
	for value, off := range map[string]bool{
		"": false, "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00": false, "\x06\x00": false, "\x00": false, "\x08": false,
		"\x03\x00\x00\x00\xd4\x0d\x43\x8d\xc8\x3b\xd9\x01": true, "\x07": true, "\x01": true, "\x63\x60\x60\x60\x62\xf9\x8c\x76\xc5\x3b\xd9\x91": true,
		"\x02\x00\x00\x00\xd4\x0d\x43\x8d\xc8\x3b\xd9\x01": false, "\x09\x00\x00\x00": true,
	} {
		if got := runOff([]byte(value), false); (got != nil) != off {
			t.Errorf("%x: %+v", value, got)
		}
	}
	off := runOff([]byte{3}, false)
	if off == nil || !strings.Contains(off.Command, `reg delete HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run /v docker-wsl-bridge /f`) {
		t.Errorf("%+v", off)
	}
	if off := runOff(nil, true); off == nil || !strings.Contains(off.Text, "policy") {
		t.Errorf("%+v", off)
	}
}

// A task is off if it is disabled or each of its logon triggers is, in either form of a boolean.
func TestATaskThatIsSwitchedOff(t *testing.T) {
	p := PlaceAt(`C:\Users\A & B\AppData\Local`, `C:\state`, "S-1-5-21-1")
	text := strings.ReplaceAll(TaskXML(p, Task, nil), "\r\n", "\n")
	const whole, part = "<Enabled>true</Enabled>\n    <Hidden>", "<LogonTrigger>\n      <Enabled>true</Enabled>"
	trigger := text[strings.Index(text, "<LogonTrigger>") : strings.Index(text, "</LogonTrigger>")+len("</LogonTrigger>")]
	offTrigger := strings.Replace(trigger, "true", "false", 1)
	for name, c := range map[string]struct {
		from, to string
		cure     string
	}{
		"as registered":        {"", "", ""},
		"disabled":             {whole, strings.Replace(whole, "true", "false", 1), `schtasks /Change /TN "docker-wsl-bridge S-1-5-21-1" /ENABLE`},
		"disabled by a number": {whole, strings.Replace(whole, "true", " 0 ", 1), "/ENABLE"},
		"without the element":  {whole, "<Hidden>", ""},
		"its trigger":          {part, strings.Replace(part, "true", "false", 1), "under Triggers"},
		"its trigger by 0":     {part, strings.Replace(part, "true", "0", 1), "under Triggers"},
		"one of two triggers":  {trigger, offTrigger + trigger, ""},
		"both of two triggers": {trigger, offTrigger + offTrigger, "under Triggers"},
		"another trigger":      {trigger, "<TimeTrigger/>", ""},
	} {
		changed := strings.Replace(text, c.from, c.to, 1)
		off := p.taskOff(utf16Text(utf16File(changed)))
		if c.from != "" && changed == text || (off != nil) != (c.cure != "") || off != nil && !strings.Contains(off.Purpose+", run: "+off.Command, c.cure) {
			t.Errorf("%s: %+v", name, off)
		}
	}
	for _, text := range []string{"", "x", "<Task/>"} {
		if off := p.taskOff(text); off != nil {
			t.Errorf("%q: %+v", text, off)
		}
	}
}

// A service that no user has an instance of, or whose instances nobody starts, is off.
func TestAServiceThatIsSwitchedOff(t *testing.T) {
	for _, c := range []struct {
		r   Registered
		off string
	}{
		{Registered{ImagePath: "x", Start: autoStart}, ""}, {Registered{ImagePath: "x"}, ""}, {Registered{Start: disabled}, ""},
		{Registered{ImagePath: "x", Start: disabled}, "it is switched off: the service docker.wsl.bridge is disabled"},
		{Registered{ImagePath: "x", Start: demandStart}, "it is switched off: the service docker.wsl.bridge is set to be started by hand"},
		{Registered{ImagePath: "x", Start: autoStart, NoInstances: true}, "it is switched off: Windows makes no instances"},
	} {
		err := Place{}.WhySwitchedOff(t.Context(), Record{Form: ByService}, c.r)
		var off *OffError
		if errors.As(err, &off) != (c.off != "") || off != nil && !strings.HasPrefix(off.Error(), c.off) {
			t.Errorf("%+v: %v", c.r, err)
		}
	}
}
