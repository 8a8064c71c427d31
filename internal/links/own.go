package links

import (
	"os"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
)                               // UserFile is where this user's file belongs.
func UserFile() (string, error) { return config.UserFile(runtime.GOOS, os.Getenv) }

// LoadOwn is what counts. Its error may be a config.Errors.
func LoadOwn() (*Set, error) {
	user, err := UserFile()
	if err != nil {
		return nil, err
	}
	return Load(config.MachineFile(), user, runtime.GOOS)
}

// WantedByFiles is what the files want, nil if they name no link or flags say what is served.
func WantedByFiles(flags *pflag.FlagSet) (*Set, error) {
	if linkFlags(flags) {
		return nil, nil
	}
	c, err := LoadOwnNamed()
	if err == nil && c.Files.Default {
		return nil, nil
	}
	return c, err
}

// LoadOwnNamed is what the files want. That of no file is not looked into: it depends on what there is.
func LoadOwnNamed() (*Set, error) {
	user, err := UserFile()
	if err != nil {
		return &Set{Files: &config.Config{Default: true}}, nil // without a place there is no file
	}
	return LoadNamed(config.MachineFile(), user, runtime.GOOS)
}

// ForArgs is Wanted of what is started with these arguments, the verb first. With those that
// run does not know it reads no file.
func ForArgs(args []string) (*Set, error) {
	known := runFlags()
	if len(args) > 0 {
		if err := known.Parse(args[1:]); err != nil {
			return nil, nil
		}
	}
	return WantedByFiles(known)
}

// runFlags are those of what starts at logon.
func runFlags() *pflag.FlagSet {
	known := pflag.NewFlagSet("run", pflag.ContinueOnError)
	known.Usage = func() {}
	BindFlags(&Flags{}, known)
	known.Bool("debug", false, "")
	known.Bool(IfInstalled, false, "")
	return known
}

// RunArgs are the arguments of run that say what the flags say.
func RunArgs(flags *pflag.FlagSet) []string {
	args := []string{"run"}
	known := runFlags()
	flags.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) != nil {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	return args
}

// IfInstalled is the flag of a service's instances, which every user has.
const IfInstalled = "if-installed"

// linkFlags tells whether one was given that says what is served.
func linkFlags(flags *pflag.FlagSet) (given bool) {
	flags.Visit(func(f *pflag.Flag) { given = given || f.Name != "json" && f.Name != "debug" && f.Name != IfInstalled })
	return given
}

// BindFlags has a set of flags say what is served.
func BindFlags(o *Flags, f *pflag.FlagSet) {
	f.StringVarP(&o.Distro, "distro", "d", "", "the WSL2 `name` of the distro (default: WSL's default distro)")
	f.StringVar(&o.Socket, "socket", DefaultSocket, "the socket's `path` in the distro")
	f.StringVar(&o.Pipe, "pipe", "", "the engine's `pipe`: a name, npipe:////./pipe/NAME, or on Linux\nunix:/path (default: the first engine for Windows containers)")
	f.StringVar(&o.Kind, "kind", config.Docker, "what answers at the pipe: docker, or raw for any other byte `stream`")
	f.StringVar(&o.Mode, "socket-mode", "", "the socket's permissions, `octal` (default: 0660 with a\ngroup docker in the distro, else 0600)")
	f.StringVar(&o.Owner, "socket-owner", "", "the socket's `user[:group]` (default: root:docker, else the user of\n/etc/wsl.conf, else uid 1000)")
	f.StringVar(&o.KeepAlive, "keep-alive", config.Always, "always keeps the distro up, while-running lets it stop when nobody\nelse uses it, and serves it again when somebody does (`way`)")
	f.StringVar(&o.Paths, "paths", config.Auto, "auto turns the distro's paths of bind mounts (-v /mnt/c/src:C:\\src) into\nthose of Windows for a Windows engine, off leaves them (`way`)")
	f.BoolVar(&o.TrustOwner, "trust-pipe-owner", false, "take the pipe of --pipe whoever owns it (default: it must be the system's,\nthe administrators' or your own)")
	f.StringVar(&o.Context, "context", "", "the `name` of the docker context that leads to the socket, one of the\ndistro's default user; none makes none (default: windows, for the\ndefault socket)")
}

// FilesRight tells how the files are. The error is what is wrong with them.
func FilesRight() (string, error) {
	c, err := LoadOwnNamed()
	if err != nil {
		return "", err
	}
	words := config.RightWords(c.Files)
	if why := config.IgnoredWords(c.Files); why != "" {
		words += "; the machine's is not counted: " + why
	}
	return words, nil
}
