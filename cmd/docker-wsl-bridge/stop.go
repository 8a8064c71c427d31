package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func stopCommand() *cobra.Command {
	var c control.Chosen
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "End the bridges that run",
		Long: `stop ends the bridges of this user as Ctrl-C does, and waits for their end:
their sockets go away, connections that are under way get 5 s. When none runs
there is nothing to do, which is no error. Links of a configuration have one
bridge: with one of them end all; to end one, take it out of the file and reload.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := control.RunningBridges(cmd.Context(), c)
			if err != nil {
				return &failure{error: err}
			}
			if found, err = withTheirOwn(cmd.Context(), found); err != nil {
				return &failure{error: err}
			}
			ended := []endedPlace{}
			var failed error
			for i, err := range control.StopAllInstances(cmd.Context(), found) {
				if err != nil {
					failed = errors.Join(failed, err)
					continue
				}
				ended = append(ended, endedPlace{found[i].PID, found[i].Place.Distro, found[i].Place.Socket})
			}
			if err := p.Result(map[string][]endedPlace{"stopped": ended}, func(w io.Writer) error { return printStopped(w, ended, c, len(found)) }); err != nil {
				return err
			}
			if failed != nil {
				return &failure{error: failed}
			}
			return nil
		},
	}
	chosenFlags(cmd, &c)
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

// endedPlace is a place whose bridge has ended.
type endedPlace struct {
	PID    int    `json:"pid"`
	Distro string `json:"distro"`
	Socket string `json:"socket"`
}

func printStopped(out io.Writer, ended []endedPlace, c control.Chosen, found int) error {
	if found == 0 {
		_, err := fmt.Fprintf(out, "no bridge runs%s\n", printable.Line(c.WordsForChoice()))
		return err
	}
	for _, s := range ended {
		if _, err := fmt.Fprintf(out, "stopped the bridge for %s (pid %d)\n", control.PlaceName(control.Place{Distro: s.Distro, Socket: s.Socket}), s.PID); err != nil {
			return err
		}
	}
	return nil
}

// withTheirOwn adds the other links of the same bridges, which end with them.
func withTheirOwn(ctx context.Context, found []control.Found) ([]control.Found, error) {
	all, err := control.RunningBridges(ctx, control.Chosen{})
	return slices.DeleteFunc(all, func(f control.Found) bool {
		return !slices.ContainsFunc(found, func(of control.Found) bool { return of.PID == f.PID })
	}), err
}
