package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func metricsCommand() *cobra.Command {
	var c control.Chosen
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Print what is carried, as OpenMetrics",
		Long: `metrics prints what the bridges of this user carry and have carried, in the text
form of OpenMetrics that Prometheus reads. Each bridge has its own at GET /metrics
of its control endpoint; docs/control.md names them all. One that does not answer
is left out.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := control.CarryingBridges(cmd.Context(), c)
			if err != nil {
				return &failure{error: err}
			}
			if len(found) == 0 {
				return &failure{error: advice.With(errors.New("no bridge runs"+printable.Line(c.WordsForChoice())), []codes.Hint{advice.NoneHint()})}
			}
			var all []control.Traffic
			for _, f := range found {
				if f.Err == nil {
					all = append(all, f.Traffic)
				}
			}
			_, err = cmd.OutOrStdout().Write(control.FormatMetrics(all...))
			return err
		},
	}
	chosenFlags(cmd, &c)
	return cmd
}
