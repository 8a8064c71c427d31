package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervise"
)

func superviseCommand() *cobra.Command {
	s := supervise.NewCommand()
	cmd := &cobra.Command{
		Use:   "supervise [flags] -- COMMAND [ARGUMENT...]",
		Short: "Keep a command running, in the foreground or as a service",
		Long: `supervise runs a command and starts it again when it ends, after a pause that
grows from half a second to 30 s and starts over after a healthy minute. Its
output goes to stderr, of a service to a log (supervise-*.log beside those that
docker-wsl-bridge status names); its stdin is open, and nothing comes. It has no window, and
dies with supervise, even if that is killed.

Ctrl-C, or the stop of the service, asks the command to end: by Ctrl-C, on Linux
by SIGTERM. After 5 s it is killed, with all that it has started. Then the exit
code is 0, else it is the command's own. It fails at once if the command
can't be started at all.`,
		Example: `  docker-wsl-bridge supervise -- wsl.exe -d Debian -e /usr/bin/my-daemon
  docker-wsl-bridge supervise --restart always -- docker.exe events`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || cmd.ArgsLenAtDash() != 0 {
				return errors.New("the command stands behind --: docker-wsl-bridge supervise -- COMMAND")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.CheckPolicy(); err != nil {
				return err
			}
			if err := s.Supervise(cmd.Context(), args, cmd.ErrOrStderr()); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&s.Restart, "restart", supervise.RestartOnFailure, "start the command again: always, on-failure or never (`when`)")
	return cmd
}

func pressKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: supervise.PressKeys + " KEYS PROCESS", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := carrier.PressKeys(args[0], args[1]); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
}
