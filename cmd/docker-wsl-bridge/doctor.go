package main

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/doctor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

func doctorCommand() *cobra.Command {
	var c control.Chosen
	var pipe string
	var v doctor.Options
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and tell what cures it",
		Long: `doctor looks at everything that a bridge needs: WSL, the distro, the engine, the
bridge itself, its socket and what docker makes of it. It changes nothing, and
starts no distro. If there is just one bridge it looks at that one.

With --fix it does what is safe: it gives a socket its owner and mode again,
removes one that was left over, makes the docker context, and registers again
what starts the program at logon. It says each before it does it, and looks
again. It takes no administrator, and starts and ends no distro, engine or bridge:
that is left to you, as the hints say.

Its exit code is 0 when nothing is wrong, and 1 otherwise. docs/doctor.md has a
page for each code.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := pipeFlag(pipe)
			if err != nil {
				return err
			}
			p, err := doctor.TargetOf(cmd.Context(), c, at)
			if err != nil {
				return &failure{error: err}
			}
			if v.Dry && !v.Fix {
				return errors.New("--dry-run: it is for --fix")
			}
			all, err := v.RunVisit(cmd.Context(), p, func() (doctor.Target, error) { return doctor.TargetOf(cmd.Context(), c, at) })
			if err != nil {
				return &failure{error: err}
			}
			return sickOrNot(all)
		},
	}
	cmd.Flags().StringVarP(&c.Distro, "distro", "d", "", "the distro's `name` (default: that of the bridge that runs, else WSL's\ndefault distro)")
	cmd.Flags().StringVar(&c.Socket, "socket", "", "the socket's `path` (default: that of the bridge that runs, else\n"+links.DefaultSocket+")")
	cmd.Flags().StringVar(&pipe, "pipe", "", "the engine's `pipe` (default: that of the bridge, else the first engine\nfor Windows containers)")
	cmd.Flags().BoolVar(&v.Fix, "fix", false, "do what is safe, and look again")
	cmd.Flags().BoolVar(&v.Dry, "dry-run", false, "with --fix: say what would be done, and do nothing")
	printerFlag(cmd, &v.Printer, "report as JSON, one object")
	return cmd
}

// pipeFlag understands --pipe, which may be empty.
func pipeFlag(pipe string) (at endpoint.Endpoint, err error) {
	if pipe == "" {
		return at, nil
	}
	if at, err = endpoint.Parse(pipe, runtime.GOOS); err != nil {
		return at, fmt.Errorf("--pipe: %w", err)
	}
	return at, nil
}

func sickOrNot(all []doctor.Told) error {
	failed := 0
	for _, f := range all {
		if f.Verdict == doctor.Failed {
			failed++
		}
	}
	switch failed {
	case 0:
		return nil
	case 1:
		return &failure{error: advice.With(fmt.Errorf("1 of %d checks failed", len(all)), nil)}
	}
	return &failure{error: advice.With(fmt.Errorf("%d of %d checks failed", failed, len(all)), nil)}
}
