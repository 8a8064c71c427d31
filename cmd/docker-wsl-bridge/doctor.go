package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/doctor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// defaultSocket is where clients look first.
const defaultSocket = "/run/docker-wsl-bridge/windows.sock"

// finding is what a script is told of a check.
type finding struct {
	Code    codes.Code     `json:"code"`
	Verdict doctor.Verdict `json:"verdict"`
	Seen    string         `json:"seen"`
	Why     string         `json:"why"`
	Cure    []codes.Hint   `json:"cure,omitempty"`
}

func doctorCommand() *cobra.Command {
	var c chosen
	var pipe string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and tell what cures it",
		Long: `doctor looks at everything that a bridge needs: WSL, the distro, the engine, the
bridge itself, its socket and what docker makes of it. It changes nothing, and
starts no distro. If there is just one bridge it looks at that one.

Its exit code is 0 when nothing is wrong, and 1 otherwise. docs/doctor has a
page for each code.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := patient(cmd.Context(), c, pipe)
			if err != nil {
				return err
			}
			all := examine(cmd.Context(), p)
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"findings": all})
			} else {
				err = printFindings(cmd.OutOrStdout(), all)
			}
			if err != nil {
				return &failure{error: err}
			}
			return sickOrNot(all)
		},
	}
	cmd.Flags().StringVarP(&c.distro, "distro", "d", "", "the distro's `name` (default: that of the bridge that runs, else WSL's\ndefault distro)")
	cmd.Flags().StringVar(&c.socket, "socket", "", "the socket's `path` (default: that of the bridge that runs, else\n"+defaultSocket+")")
	cmd.Flags().StringVar(&pipe, "pipe", "", "the engine's `pipe` (default: that of the bridge, else the first engine\nfor Windows containers)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object")
	return cmd
}

// patient is what the flags, and the bridges that run, say. An error that is no failure is a wrong
// command line.
func patient(ctx context.Context, c chosen, pipe string) (p doctor.Patient, err error) {
	p.Windows = runtime.GOOS == "windows"
	if pipe != "" {
		if p.Engine, err = endpoint.Parse(pipe, runtime.GOOS); err != nil {
			return p, fmt.Errorf("--pipe: %w", err)
		}
	}
	if p.Bridges, err = running(ctx, c); err != nil {
		return p, &failure{error: err}
	}
	p.Place = control.Place{Distro: c.distro, Socket: cmp.Or(c.socket, defaultSocket)}
	if len(p.Bridges) == 1 {
		p.Place = p.Bridges[0].Place
	}
	exe, err := os.Executable()
	if err != nil {
		return p, &failure{error: fmt.Errorf("find own file: %w", err)}
	}
	if agent, err := deploy.Agent(deploy.NativeArch(), filepath.Dir(exe)); err == nil {
		p.Agent, p.Build = deploy.Path(agent.Hash), agent.Hash
	}
	if p.Windows {
		p.ProgramData, p.Member = os.Getenv("ProgramData"), engine.Member
		p.Installed, p.Blocked = installedRight, blocked
	}
	return p, nil
}

func examine(ctx context.Context, p doctor.Patient) []finding {
	var found []doctor.Finding
	seen := doctor.Examine(ctx, p, func(f doctor.Finding) { found = append(found, f) })
	all := make([]finding, len(found))
	for i, f := range found {
		all[i] = finding{Code: f.Code, Verdict: f.Verdict, Seen: f.Seen, Why: f.Code.Why()}
		if f.Verdict == doctor.Failed {
			all[i].Cure = doctorHints(f, seen)
		}
	}
	return all
}

func sickOrNot(all []finding) error {
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
		return &failure{error: &advised{fmt.Errorf("1 of %d checks failed", len(all)), nil}}
	}
	return &failure{error: &advised{fmt.Errorf("%d of %d checks failed", failed, len(all)), nil}}
}

// printFindings is for a person: what is well takes a line, what is not says why and what to do.
func printFindings(w io.Writer, all []finding) error {
	for _, f := range all {
		text := fmt.Sprintf("%-8s %s  %s\n", f.Verdict, f.Code, harmless(f.Seen))
		if f.Verdict == doctor.Failed {
			text += fmt.Sprintf("         why:    %s\n", f.Why)
		}
		for _, cure := range f.Cure {
			text += fmt.Sprintf("         hint:   %s\n", harmless(cure.String()))
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}
