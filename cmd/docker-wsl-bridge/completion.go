package main

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervise"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// completeTime bounds what the Tab key waits for.
const completeTime = 3 * time.Second

// addCompletion makes the command that prints a shell's completion script, and
// says what the values of up's flags can be. No value is a file of the shell's
// own directory, so none is offered.
func addCompletion(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			// cobra's own prints its help for a shell that it does not know, as if that were well.
			cmd.SuggestionsMinimumDistance = root.SuggestionsMinimumDistance
			cmd.Args, cmd.RunE = suggestCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "up", "install":
			completeFlag(cmd, "distro", distroNames)
			completeFlag(cmd, "context", func(context.Context) []string { return contextNames() })
			completeFlag(cmd, "pipe", func(context.Context) []string { return pipeNames(runtime.GOOS) })
			completeFlag(cmd, "kind", func(context.Context) []string { return kindNames() })
			completeFlag(cmd, "keep-alive", func(context.Context) []string { return keepAlives() })
			completeFlag(cmd, "paths", func(context.Context) []string { return pathWays() })
			completeFlag(cmd, "socket-mode", func(context.Context) []string { return socketModes() })
			if cmd.Name() == "install" {
				completeFlag(cmd, "at-logon", func(context.Context) []string { return logonWays() })
			}
		case "supervise":
			completeFlag(cmd, "restart", func(context.Context) []string { return restartPolicies() })
		case "context":
			for _, verb := range cmd.Commands() {
				completeFlag(verb, "distro", distroNames)
				completeFlag(verb, "socket", runningSockets)
			}
		case "env":
			completeFlag(cmd, "distro", distroNames)
			completeFlag(cmd, "socket", runningSockets)
			completeFlag(cmd, "shell", func(context.Context) []string { return shellNames() })
		case "stop", "drain", "logs", "top", "metrics":
			completeFlag(cmd, "distro", distroNames)
			completeFlag(cmd, "socket", runningSockets)
		case "doctor":
			completeFlag(cmd, "distro", distroNames)
			completeFlag(cmd, "socket", runningSockets)
			completeFlag(cmd, "pipe", func(context.Context) []string { return pipeNames(runtime.GOOS) })
		}
	}
}

// completeFlag takes the values in their order. Each may have a tab and a
// description behind it.
func completeFlag(cmd *cobra.Command, flag string, values func(context.Context) []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return values(cmd.Context()), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	})
	if err != nil {
		panic(err) // there is no such flag
	}
}

// distroNames is silent when wsl.exe is: an error has no place beside a prompt.
func distroNames(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	w, err := distro.FindWSL()
	if err != nil {
		return nil
	}
	names, _ := w.ListDistros(ctx)
	return slices.DeleteFunc(names, func(name string) bool { return wsl.CheckName(name) != nil })
}

// runningSockets are those that are served now.
func runningSockets(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	bridges, _ := control.RunningBridges(ctx, control.Chosen{})
	var names []string
	for _, b := range bridges {
		names = append(names, printable.Line(b.Place.Socket)+"\t"+control.WhereWords(b.Place))
	}
	return names
}

// pipeNames are where up looks for an engine; on Linux, which has no pipes, where
// engines listen as a rule.
func pipeNames(goos string) []string {
	if goos != "windows" {
		return []string{"unix:/var/run/docker.sock"}
	}
	return engine.PipeNames()
}

func kindNames() []string {
	return []string{config.Docker + "\ta Docker engine answers", config.Raw + "\tany byte stream"}
}

func keepAlives() []string {
	return []string{config.Always + "\tthe distro stays up", config.WhileRunning + "\tit stops when nobody else uses it"}
}

func pathWays() []string {
	return []string{config.Auto + "\tthe distro's become Windows' for a Windows engine", config.Off + "\tthey stay"}
}

func logonWays() []string {
	return []string{"auto\ta service for an administrator, else a task or the Run key", "service\ta per-user service", "task\ta scheduled task", "run-key\tthe user's Run key"}
}

func contextNames() []string {
	return []string{links.DefaultContext, links.NoContext + "\tno docker context is made"}
}

func restartPolicies() []string {
	return []string{
		supervise.RestartAlways + "\tit runs as long as supervise does", supervise.RestartOnFailure + "\twhen it has failed",
		supervise.RestartNever + "\tit runs once",
	}
}

func socketModes() []string {
	return []string{"0600\tthe owner alone", "0660\tthe owner and his group", "0666\teverybody in the distro"}
}
