package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

// shellNames say how a variable is set. Each is for programs of a distro: the socket is one of Linux.
func shellNames() []string { return []string{"sh", "fish", "powershell"} }

func envCommand() *cobra.Command {
	var c control.Chosen
	var shell string
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the command that leads a WSL shell's docker to a bridge",
		Long: `env prints the command that sets DOCKER_HOST in a shell of the distro, for docker
and for programs that know no contexts. It asks nothing of the distro. In WSL:

  eval "$(docker-wsl-bridge.exe env)"`,
		Example: `  docker-wsl-bridge env
  docker-wsl-bridge.exe env --shell fish | source`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			socket, err := envSocket(cmd.Context(), c)
			if err != nil {
				return err
			}
			line, err := setCommand(shell, "DOCKER_HOST", "unix://"+socket)
			if err != nil {
				return fmt.Errorf("--shell: %w", err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), line)
			return err
		},
	}
	chosenFlags(cmd, &c)
	cmd.Flags().StringVar(&shell, "shell", "sh", "the shell: sh (bash and zsh, too), fish or powershell (`name`)")
	return cmd
}

// envSocket is that of the bridges that are meant, or what was told.
func envSocket(ctx context.Context, c control.Chosen) (string, error) {
	if c.Socket != "" {
		place, err := endpoint.Parse("unix:"+c.Socket, "linux")
		if err != nil {
			return "", fmt.Errorf("--socket: %w", err)
		}
		return place.Path(), nil
	}
	bridges, err := control.RunningBridges(ctx, c)
	if err != nil {
		return "", &failure{error: err}
	}
	socket := ""
	for _, b := range bridges {
		if b.Err == nil && b.Status.Link.Kind == config.Raw || control.IsPipe(b.Place) {
			continue
		}
		if socket != "" && b.Place.Socket != socket {
			return "", &failure{error: advice.ErrSeveral}
		}
		socket = b.Place.Socket
	}
	if socket == "" {
		return links.DefaultSocket, nil
	}
	return socket, nil
}

// setCommand is the command that sets a variable.
func setCommand(shell, name, value string) (string, error) {
	switch shell {
	case "sh":
		return "export " + name + "=" + codes.ShWord(value), nil
	case "fish":
		return "set -gx " + name + " " + codes.FishWord(value), nil
	case "powershell":
		return "$Env:" + name + " = " + codes.PowerShellWord(value), nil
	}
	return "", fmt.Errorf("there is no form for %q; write sh, fish or powershell", shell)
}
