package main

import (
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// What a command line asks for that the VM is not asked for as such.
const (
	opStatus  = "status"
	opVersion = "version"
)

// command is what a command line asks for.
type command struct {
	op        string
	distro    string
	user      string
	cwd       string
	shell     *bool // nil: as the command line turns out
	login     *bool
	list      listing
	rest      string
	arguments []string // of rest, in exec mode
}

// execMode is -e, and --shell-type none: no shell, so no login shell either.
func (c *command) execMode() { c.shell, c.login = new(bool), new(bool) }

func (c *command) useShell() bool { return c.shell == nil || *c.shell }

// process is the launch that the command describes.
func (c *command) process() wire.Launch {
	l := wire.Launch{User: c.user, Cwd: workingDirectory(c.cwd), Env: sharedEnvironment(), Console: consoles()}
	switch {
	case !c.useShell():
		l.File, l.Args = c.arguments[0], c.arguments
	case c.rest == "":
		l.Login = c.login == nil || *c.login
	default:
		l.Args = []string{"-c", c.rest}
		l.Login = c.login != nil && *c.login
	}
	return l
}

// parse reads a raw command line as WslMain does. The second result is the
// message of the first fault, or empty.
//
// Words are cut at blanks and keep their quotes (only --cd strips them), so a
// quoted distro name is another name and a quoted option is no option.
func parse(raw string) (command, string) {
	c := command{op: wire.OpLaunch}
	rest := skipProgram(raw)
	if w := word(rest); isGUID(w) {
		c.distro, rest = w, consume(rest, w)
	}
	if w := word(rest); w == "~" {
		c.cwd, rest = w, consume(rest, w)
	}
	for {
		w := word(rest)
		if w == "" {
			break
		}
		if w == "--" || w == "-e" || w == "--exec" {
			if rest = consume(rest, w); w != "--" {
				c.execMode()
			}
			break
		}
		opt, known := options[w]
		if !known {
			if w[0] == '-' {
				return c, msgUnknown(w)
			}
			break
		}
		rest = consume(rest, w)
		var fault string
		var done bool
		if rest, done, fault = opt(&c, rest); done || fault != "" {
			return c, fault
		}
	}
	return c, c.finish(rest)
}

// finish settles what follows the options.
func (c *command) finish(rest string) string {
	c.rest = rest
	if c.useShell() {
		return ""
	}
	if c.arguments = commandLineToArgv(rest); len(c.arguments) == 0 {
		return msgInvalidArg
	}
	return ""
}

// An option reads its value from the rest of the line and returns what is left.
// done says that nothing after it counts.
type option func(c *command, rest string) (left string, done bool, fault string)

var options = map[string]option{
	"-d":                setDistro,
	"--distribution":    setDistro,
	"--distribution-id": value("--distribution-id", func(c *command, v string) string { c.distro = v; return "" }),
	"-u":                setUser,
	"--user":            setUser,
	"--cd":              changeDirectory,
	"--shell-type":      value("--shell-type", shellType),
	"--system":          func(c *command, rest string) (string, bool, string) { c.distro = "--system"; return rest, false, "" },
	"--help":            func(c *command, rest string) (string, bool, string) { return rest, true, msgUsage },
	"-l":                listOptions,
	"--list":            listOptions,
	"-t":                setTerminate,
	"--terminate":       setTerminate,
	"--shutdown":        setShutdown,
	"--status":          last(opStatus),
	"--version":         last(opVersion),
	"-v":                last(opVersion),
}

// last makes an option after which nothing counts.
func last(op string) option {
	return func(c *command, rest string) (string, bool, string) {
		c.op = op
		return rest, true, ""
	}
}

// value makes an option that needs one word.
func value(name string, set func(*command, string) string) option {
	return func(c *command, rest string) (string, bool, string) {
		v := word(rest)
		if v == "" {
			return rest, true, msgMissing(name)
		}
		return consume(rest, v), false, set(c, v)
	}
}

func setDistro(c *command, rest string) (string, bool, string) {
	if c.distro != "" {
		return rest, true, msgDistroTwice
	}
	return value("--distribution", func(c *command, v string) string { c.distro = v; return "" })(c, rest)
}

func setUser(c *command, rest string) (string, bool, string) {
	return value("--user", func(c *command, v string) string { c.user = v; return "" })(c, rest)
}

func setTerminate(c *command, rest string) (string, bool, string) {
	c.op = wire.OpTerminate
	left, _, fault := value("--terminate", func(c *command, v string) string { c.distro = v; return "" })(c, rest)
	return left, true, fault
}

func shellType(c *command, v string) string {
	yes, no := true, false
	switch v {
	case "login":
		c.shell, c.login = &yes, &yes
	case "standard":
		c.shell, c.login = &yes, &no
	case "none":
		c.execMode()
	default:
		return msgInvalidArg
	}
	return ""
}

// changeDirectory is the one option whose value may be quoted.
func changeDirectory(c *command, rest string) (string, bool, string) {
	v := word(rest)
	if strings.HasPrefix(rest, `"`) {
		if end := strings.IndexByte(rest[1:], '"'); end >= 0 {
			v = rest[:end+2]
		}
	}
	left := consume(rest, v)
	v = strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`)
	if v == "" || (v[0] != '/' && v[0] != '~' && !isWindowsPath(v)) {
		return left, true, msgInvalidArg
	}
	c.cwd = v
	return left, false, ""
}

// listOptions reads what follows --list.
func listOptions(c *command, rest string) (string, bool, string) {
	c.op = wire.OpList
	return rest, true, wordsOf(rest, c.list.set)
}

// setShutdown knows a shutdown by force from another one as little as the VM.
func setShutdown(c *command, rest string) (string, bool, string) {
	c.op = wire.OpShutdown
	return rest, true, wordsOf(rest, func(w string) bool { return w == "--force" })
}

// wordsOf gives what is left of the line to an option that knows its own words.
func wordsOf(rest string, known func(string) bool) (fault string) {
	if rest == "" {
		return ""
	}
	for _, w := range commandLineToArgv("wsl.exe " + rest)[1:] {
		if !known(w) {
			return msgUnknown(w) + "\nError code: Wsl/E_INVALIDARG"
		}
	}
	return ""
}
