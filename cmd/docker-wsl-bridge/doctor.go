package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/doctor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// finding is what a script is told of a check.
type finding struct {
	Code    codes.Code     `json:"code"`
	Verdict doctor.Verdict `json:"verdict"`
	Seen    string         `json:"seen"`
	Why     string         `json:"why"`
	Cure    []codes.Hint   `json:"cure,omitempty"`
}

func doctorCommand() *cobra.Command {
	var c control.Chosen
	var pipe string
	var v visit
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
			p, err := patient(cmd.Context(), c, pipe)
			if err != nil {
				return err
			}
			if v.dry && !v.fix {
				return errors.New("--dry-run: it is for --fix")
			}
			all, err := v.pay(cmd.Context(), cmd.OutOrStdout(), p, func() (doctor.Patient, error) { return patient(cmd.Context(), c, pipe) })
			if err != nil {
				return &failure{error: err}
			}
			return sickOrNot(all)
		},
	}
	cmd.Flags().StringVarP(&c.Distro, "distro", "d", "", "the distro's `name` (default: that of the bridge that runs, else WSL's\ndefault distro)")
	cmd.Flags().StringVar(&c.Socket, "socket", "", "the socket's `path` (default: that of the bridge that runs, else\n"+links.DefaultSocket+")")
	cmd.Flags().StringVar(&pipe, "pipe", "", "the engine's `pipe` (default: that of the bridge, else the first engine\nfor Windows containers)")
	cmd.Flags().BoolVar(&v.fix, "fix", false, "do what is safe, and look again")
	cmd.Flags().BoolVar(&v.dry, "dry-run", false, "with --fix: say what would be done, and do nothing")
	cmd.Flags().BoolVar(&v.json, "json", false, "report as JSON, one object")
	return cmd
}

// patient is what the flags, and the bridges that run, say. An error that is no failure is a wrong
// command line.
func patient(ctx context.Context, c control.Chosen, pipe string) (p doctor.Patient, err error) {
	p.Windows = runtime.GOOS == "windows"
	if pipe != "" {
		if p.Engine, err = endpoint.Parse(pipe, runtime.GOOS); err != nil {
			return p, fmt.Errorf("--pipe: %w", err)
		}
	}
	if p.Bridges, err = control.Running(ctx, c); err != nil {
		return p, &failure{error: err}
	}
	p.Place = control.Place{Distro: c.Distro, Socket: cmp.Or(c.Socket, links.DefaultSocket)}
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
	p.Configured = filesRight
	if p.Windows {
		p.ProgramData, p.Member = os.Getenv("ProgramData"), engine.Member
		p.Installed, p.Blocked = setup.InstalledRight, blocked
	}
	return p, nil
}

// visit says what is done beside looking.
type visit struct{ fix, dry, json bool }

// pay looks, does what is to be done, and looks again. It gives what it has found last.
func (v visit) pay(ctx context.Context, out io.Writer, p doctor.Patient, again func() (doctor.Patient, error)) ([]finding, error) {
	found, seen := examine(ctx, p)
	all := explained(found, seen)
	person := out
	if v.json {
		person = nil
	}
	if err := printFindings(person, all); err != nil {
		return all, err
	}
	var list []fix
	if v.fix {
		list = fixes(found, seen, p)
		makeFixes(ctx, list, person, v.dry)
	}
	if len(list) > 0 && !v.dry {
		p, err := again()
		if err != nil {
			return all, err
		}
		all = explained(examine(ctx, p))
		if err := printAgain(person, all, list); err != nil {
			return all, err
		}
	}
	if !v.json {
		return all, nil
	}
	report := map[string]any{"findings": all}
	if v.fix {
		report["fixes"] = append([]fix{}, list...)
	}
	return all, json.NewEncoder(out).Encode(report)
}

func examine(ctx context.Context, p doctor.Patient) (found []doctor.Finding, seen doctor.Seen) {
	seen = doctor.Examine(ctx, p, func(f doctor.Finding) { found = append(found, f) })
	return found, seen
}

// explained is for people and scripts, who want to know why and what to do.
func explained(found []doctor.Finding, seen doctor.Seen) []finding {
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
		return &failure{error: advice.With(fmt.Errorf("1 of %d checks failed", len(all)), nil)}
	}
	return &failure{error: advice.With(fmt.Errorf("%d of %d checks failed", failed, len(all)), nil)}
}

// printFindings is for a person: what is well takes a line, what is not says why and what to do.
func printFindings(w io.Writer, all []finding) error {
	if w == nil {
		return nil
	}
	for _, f := range all {
		text := fmt.Sprintf("%-8s %s  %s\n", f.Verdict, f.Code, printable.Escape(f.Seen))
		if f.Verdict == doctor.Failed {
			text += fmt.Sprintf("         why:    %s\n", f.Why)
		}
		for _, cure := range f.Cure {
			text += fmt.Sprintf("         hint:   %s\n", printable.Escape(cure.String()))
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// printAgain tells how what was fixed looks now.
func printAgain(w io.Writer, all []finding, list []fix) error {
	return printFindings(w, slices.DeleteFunc(slices.Clone(all), func(f finding) bool {
		return !slices.ContainsFunc(list, func(x fix) bool { return x.Code == f.Code })
	}))
}

// blocked opens the programs, as Windows does to start one, which is refused where a scanner has
// found something in them.
func blocked() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own file: %w", err)
	}
	for _, name := range []string{filepath.Base(exe), install.Windowed} {
		f, err := files.Open(filepath.Join(filepath.Dir(exe), name))
		switch {
		case err == nil:
			err = errors.Join(readSome(f), f.Close())
		case errors.Is(err, os.ErrNotExist):
			err = nil // it was not downloaded, or taken away: install tells
		}
		if err != nil {
			return "", fmt.Errorf("read program: %w", err)
		}
	}
	if rules := install.ProgramRules(); rules != "" {
		return rules + "; they let wsl.exe and this program run", nil
	}
	return "no rules of AppLocker for programs are set", nil
}

func readSome(f *os.File) error {
	_, err := f.Read(make([]byte, 4096))
	return err
}
