package main

import (
	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// audienceFlags are those that say for whom.
func audienceFlags(cmd *cobra.Command, a *setup.Scope) {
	f := cmd.Flags()
	f.StringVar(&a.AtLogon, "at-logon", "auto", "what starts it: service, task, run-key, or auto, which is the service\nin an administrator's window, else the task and, where that is\nrefused, the Run key (`way`)")
	f.BoolVar(&a.User, "user", false, "for this user alone, in an administrator's window, too")
	f.BoolVar(&a.Everyone, "all-users", false, "for every user of this machine, as a service")
	f.BoolVar(&a.Replace, "replace", false, "take over a service of the same name that is another program's")
	cmd.MarkFlagsMutuallyExclusive("user", "all-users")
}

// tellingFlags are those that say how changes are reported.
func tellingFlags(cmd *cobra.Command, t *setup.ChangePrinter) {
	cmd.Flags().BoolVar(&t.Dry, "dry-run", false, "print every change, and make none")
	printerFlag(cmd, &t.Printer, "report as JSON, one object")
}

func installCommand() *cobra.Command {
	var o options
	var t setup.ChangePrinter
	var who setup.Scope
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Have it start at logon, and now (Windows)",
		Long: `install has the program start at each logon, starts it, and waits until it
serves. Called again it changes what differs: flags, version, or nothing.

In an ordinary window it is for this user: it copies the program to
%LOCALAPPDATA%\Programs\docker-wsl-bridge, and a scheduled task with the user's
own rights starts it or, where that is not allowed, the user's Run key.

In an administrator's window it copies the program to
%ProgramFiles%\docker-wsl-bridge and registers a per-user service: Windows runs
an instance of it in each user's session, as that user. It serves for who has
installed it, and with --all-users for everybody.

docker-wsl-bridge uninstall undoes it.`,
		Example: `  docker-wsl-bridge install
  docker-wsl-bridge install --dry-run
  docker-wsl-bridge install --distro Ubuntu --keep-alive while-running
  docker-wsl-bridge install --all-users`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := setup.FindInstallation(cmd.Context())
			if err != nil {
				return &failure{error: err}
			}
			w, err := who.ResolveWant(i)
			if err != nil {
				return err
			}
			w.Version, w.Args = version, links.RunArgs(cmd.Flags())
			if err := o.parseFlags("windows"); err != nil {
				return err
			}
			if err := i.Install(cmd.Context(), o.link, &t, w, &who); err != nil {
				return &failure{err, o.link.Distro}
			}
			return nil
		},
	}
	o.bindFlags(cmd.Flags())
	tellingFlags(cmd, &t)
	audienceFlags(cmd, &who)
	return cmd
}

func startCommand() *cobra.Command {
	return againCommand("start", "Start the installed program (Windows)",
		`start starts what install has registered, as a logon does, and waits until it
serves. When it runs already there is nothing to do.`, false)
}

func restartCommand() *cobra.Command {
	return againCommand("restart", "End the installed program and start it again (Windows)",
		`restart ends the installed program as Ctrl-C ends up, starts it again, and waits
until it serves.`, true)
}

func againCommand(name, short, long string, stops bool) *cobra.Command {
	t := setup.ChangePrinter{}
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := setup.FindInstallation(cmd.Context())
			if err == nil {
				err = i.StartAgain(cmd.Context(), &t, stops)
			}
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	printerFlag(cmd, &t.Printer, "report as JSON, one object")
	return cmd
}

func uninstallCommand() *cobra.Command {
	var t setup.ChangePrinter
	var purge, start bool
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Undo what install has done (Windows)",
		Long: `uninstall ends the installed program and removes what install has made: the
service with its instances, the scheduled task or the value of the Run key, the
program's files, and from distros that run the agent's file and the docker contexts
that lead to a bridge, those of the distro's default user. It works from any
half-done state, and again. What takes an administrator is named to who is none.

A distro that does not run is not started, but named, and remembered until it
is cleaned. Logs stay, unless --purge is given. Bridges that somebody has started
with up are left alone. For the machine an administrator also removes the tasks of
other users; what is in their own directories and distros stays, and is named.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := setup.FindInstallation(cmd.Context())
			if err == nil {
				err = i.Uninstall(cmd.Context(), &t, purge, start)
			}
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	tellingFlags(cmd, &t)
	cmd.Flags().BoolVar(&purge, "purge", false, "remove the logs, too")
	cmd.Flags().BoolVar(&start, "start-distros", false, "start the distros that don't run, to remove what is in them")
	return cmd
}
