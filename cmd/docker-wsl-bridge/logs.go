package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

func logsCommand() *cobra.Command {
	var c control.Chosen
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Print what a bridge has logged",
		Long: `logs prints the end of a bridge's log, whether it runs or not. Of several logs it
is the one that was written last.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines < 0 {
				return fmt.Errorf("--lines: %d is no number of lines", lines)
			}
			dir, err := state.Dir()
			if err != nil {
				return &failure{error: err}
			}
			file, err := control.NewestLog(state.LogDir(dir), c)
			if errors.Is(err, control.ErrNoLog) {
				err = advice.With(err, []codes.Hint{advice.NoneHint()})
			}
			if err != nil {
				return &failure{error: err}
			}
			err = logs.PrintTail(cmd.Context(), file, lines, follow, func(line string) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), printable.Escape(line))
				return err
			})
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	chosenFlags(cmd, &c)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, until Ctrl-C")
	cmd.Flags().IntVarP(&lines, "lines", "n", 100, "how many `lines` of the end")
	return cmd
}
