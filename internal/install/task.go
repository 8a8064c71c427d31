package install

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// RunValue names the value of the Run key.
const RunValue = "docker-wsl-bridge"

// maxRun is the length of a value of the Run key in UTF-16 units. A longer one is kept, and is not
// promised to be run (Microsoft, "Run and RunOnce Registry Keys").
const maxRun = 260

// ErrLongRun says that a command line does not fit into the Run key.
var ErrLongRun = errors.New("the command line is too long for the Run key")

// RunKeyTakes looks whether the Run key can start the program with these arguments. The error is an
// ErrLongRun.
func (p Place) RunKeyTakes(args []string) error {
	if n := len(utf16.Encode([]rune(CommandLine(p.ProgramFile(Windowed), args)))); n > maxRun {
		return fmt.Errorf("%w: it has %d characters, of %d", ErrLongRun, n, maxRun)
	}
	return nil
}

// taskText is the task as the Task Scheduler's schema 1.2 has it, whose elements have an order. A
// trigger without a user would be for every user's logon, which only administrators may have.
// What is not said has defaults that do harm: an end after 72 h, none on battery, a second
// instance in a queue.
const taskText = `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Serves the Docker engine of Windows in WSL2 (docker-wsl-bridge)</Description>
  </RegistrationInfo>
  <Triggers>TRIGGER</Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>USER</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>false</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>true</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>10</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>PROGRAM</Command>
      <Arguments>ARGUMENTS</Arguments>
      <WorkingDirectory>DIRECTORY</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`

const logonTrigger = `
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>USER</UserId>
    </LogonTrigger>
  `

// TaskXML is the task of the place's user, for schtasks /Create /XML. Where a service starts
// the program at logon the task does only when it is asked to.
func TaskXML(p Place, f Form, args []string) string {
	text := strings.Replace(taskText, "TRIGGER", logonTrigger, 1)
	if f == ByService {
		text = strings.Replace(taskText, "TRIGGER", "", 1)
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = quoteArgument(a)
	}
	return strings.NewReplacer("USER", escapeXML(p.SID), "PROGRAM", escapeXML(p.ProgramFile(Windowed)),
		"ARGUMENTS", escapeXML(strings.Join(words, " ")), "DIRECTORY", escapeXML(p.Programs)).Replace(text)
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// utf16File is a text as schtasks reads it, with its mark.
func utf16File(text string) []byte {
	var b bytes.Buffer
	units := append([]uint16{0xfeff}, utf16.Encode([]rune(strings.ReplaceAll(text, "\n", "\r\n")))...)
	_ = binary.Write(&b, binary.LittleEndian, units) // a Buffer takes everything
	return b.Bytes()
}

// CommandLine is a program with its arguments, as CommandLineToArgvW takes it apart. The program is
// quoted whatever it is: an unquoted path with a blank may start another program.
func CommandLine(exe string, args []string) string {
	line := `"` + exe + `"`
	for _, a := range args {
		line += " " + quoteArgument(a)
	}
	return line
}

// quoteArgument writes an argument so that it is read back as it is: backslashes count double before a quote
// and at the end of a quoted word.
func quoteArgument(a string) string {
	if a != "" && !strings.ContainsAny(a, " \t\n\v\"") {
		return a
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, r := range a {
		switch r {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1)) // those before it again, and its own
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, slashes))
	b.WriteByte('"')
	return b.String()
}
