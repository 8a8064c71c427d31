// Command docker-wsl-bridge gives Linux programs in WSL2 a unix socket that is
// the Windows host's Docker engine.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervise"
)

const version = "0.1.0-dev"

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// One connection is read, carried and written by goroutines in turn. With one processor
	// each wakes up the next without the kernel; a second one costs more than it carries.
	runtime.GOMAXPROCS(1)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program: results go to stdout, everything else to stderr.
func run(args []string, stdout, stderr io.Writer) int {
	started := service.StartedBySCM()
	ctx := context.Background()
	if !started { // a service gets a console's signals when any user logs off
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		// A second Ctrl-C ends the program at once.
		context.AfterFunc(ctx, stop)
	}
	root := rootCommand()
	if l, is := supervise.LegacyForm(supervise.OriginalArgs(args), started, commandNames(root)); is {
		return l.Run(ctx, runtime.GOOS, started, stderr)
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	code := exitCodeOf(cmd, err, stderr)
	if err != nil && started {
		supervise.RefuseStart(service.AppCode(uint32(code)))
	}
	return code
}

// exitCodeOf tells a person of an error, and is the exit code.
func exitCodeOf(cmd *cobra.Command, err error, stderr io.Writer) int {
	var failed *failure
	var ended *supervise.ExitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &ended):
		console.Complain(stderr, ended, nil)
		return ended.ExitCode()
	case errors.As(err, &failed):
		console.Complain(stderr, err, advice.Hints(failed.distro, err))
		return exitFailed
	}
	console.Complain(stderr, err, advice.UsageHints(cmd.CommandPath()))
	return exitUsage
}

// failure is an error of a command that ran. Every other one is a wrong
// command line.
type failure struct {
	error
	distro string // the one it was about, if it has come to that
}

func (f *failure) Unwrap() error { return f.error }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "docker-wsl-bridge",
		Short: "Use the Docker engine of Windows from WSL2, through a unix socket",
		Long: `docker-wsl-bridge gives Linux programs in WSL2 a unix socket that is the
Docker engine of the Windows host: Windows containers from a WSL shell, with
no TCP port, no SSH, and nothing to install in the distro.

Run it on Windows:

  docker-wsl-bridge up

and then, in WSL, what it tells you.`,
		Args:          suggestCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(nearestFlag)
	root.AddCommand(upCommand(), runCommand(), installCommand(), uninstallCommand(), startCommand(), restartCommand(),
		statusCommand(), topCommand(), metricsCommand(), stopCommand(), drainCommand(), logsCommand(), doctorCommand(), reportCommand(), discoverCommand(), contextCommand(), envCommand(), superviseCommand(), configCommand(), reloadCommand(), versionCommand(), pressKeysCommand())
	addCompletion(root)
	return root
}

// commandNames are those of all commands.
func commandNames(root *cobra.Command) (list []string) {
	for _, cmd := range root.Commands() {
		list = append(list, cmd.Name())
	}
	return list
}

// suggestCommand refuses what is no command and names the one it looks like.
func suggestCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += fmt.Sprintf("; did you mean %q?", mostAlike(args[0], like))
	}
	return errors.New(text)
}

// mostAlike is the one that begins most like a word: what is mistyped is rarely the beginning.
func mostAlike(word string, like []string) string {
	same := func(s string) (n int) {
		for n < min(len(s), len(word)) && s[n] == word[n] {
			n++
		}
		return n
	}
	best := like[0]
	for _, s := range like[1:] {
		if same(s) > same(best) {
			best = s
		}
	}
	return best
}

// nearestFlag names the flag that an unknown one looks like.
func nearestFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	// A command's names are compared as cobra does it; flags become such names.
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if like := names.SuggestionsFor(unknown.GetSpecifiedName()); len(like) > 0 {
		return fmt.Errorf("%w; did you mean \"--%s\"?", err, like[0])
	}
	return err
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "docker-wsl-bridge %s %s/%s\n", version, runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// printerFlag has a command print to its own output, as JSON if --json is given.
func printerFlag(cmd *cobra.Command, p *console.Printer, usage string) {
	cmd.Flags().BoolVar(&p.JSON, "json", false, usage)
	cmd.PreRun = func(*cobra.Command, []string) { p.Out, p.Err = cmd.OutOrStdout(), cmd.ErrOrStderr() }
}
