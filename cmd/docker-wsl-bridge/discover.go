package main

import (
	"errors"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/doctor"
)

func discoverCommand() *cobra.Command {
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "discover",
		Short: "List the engines of Windows and of the distros that run",
		Long: `discover asks the engines that it knows to look for: those at named pipes of
Windows, Docker's and Podman's sockets in distros that run. It tells the version,
the kind of containers, the range of API versions, and how each is linked. In a
distro where no bridge has been it tells only which of those sockets are there.

It changes nothing and starts no distro. Its exit code is 1 when no engine answers.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := doctor.DiscoverEngines(cmd.Context(), runtime.GOOS)
			err := p.Result(found, func(w io.Writer) error {
				_, err := io.WriteString(w, found.TextForPerson())
				return err
			})
			if err != nil {
				return &failure{error: err}
			}
			for _, d := range found.Engines {
				if d.Engine != nil {
					return nil
				}
			}
			return &failure{error: advice.With(errors.New("no engine answers"), []codes.Hint{advice.StartHint(), advice.DoctorHint()})}
		},
	}
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}
