package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/doctor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/support"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/top"
)

// bundleTime bounds what is asked for a report.
const bundleTime = 2 * time.Minute

func reportCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Make a zip with all that helps to find a fault, without names",
		Long: `report makes a zip file with versions, status, doctor's findings, the configuration
that counts and the logs, for somebody who helps you. Names of users and machines, home
directories and what looks like a secret are taken out first; the README.txt in it says
exactly what. It is sent nowhere. Printed is where it is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), bundleTime)
			defer cancel()
			path, err := support.WriteZip(cmp.Or(file, "docker-wsl-bridge-report-"+time.Now().Format("20060102-150405")+".zip"), gatherParts(ctx), privateNames())
			if err != nil {
				return &failure{error: err}
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "Names and secrets were taken out, and nothing was sent. Look into it before you give it to somebody:")
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
	cmd.Flags().StringVar(&file, "output", "", "the zip's `file`, which must not be there yet (default: a new one in this directory)")
	return cmd
}

// gatherParts looks at everything. Nothing that fails keeps the rest out: its text is an error's.
func gatherParts(ctx context.Context) []support.Part {
	now := time.Now()
	parts := []support.Part{
		{Name: "versions.txt", Text: versionsText(ctx), When: now},
		{Name: "status.json", Text: support.OrError(statusJSON(ctx)), When: now},
		{Name: "streams.json", Text: support.OrError(streamsJSON(ctx)), When: now},
		{Name: "doctor.txt", Text: support.OrError(doctorText(ctx)), When: now},
		{Name: "config.txt", Text: support.OrError(configText()), When: now},
	}
	var logs []support.Part
	dir, err := state.Dir()
	if err == nil {
		logs, err = support.LogParts(state.LogDir(dir))
	}
	if err != nil {
		return append(parts, support.Part{Name: "logs/error.txt", Text: err.Error() + "\n", When: now})
	}
	return append(parts, logs...)
}

// privateNames are the names that the configuration tells.
func privateNames() (p support.Private) {
	c, _ := links.LoadOwn()
	if c == nil {
		return p
	}
	for _, l := range c.Files.Links {
		p.Commands = append(p.Commands, l.To.Exec)
		p.Accounts = append(p.Accounts, l.Allow, l.Owner)
	}
	return p
}

func versionsText(ctx context.Context) string {
	text := fmt.Sprintf("docker-wsl-bridge %s %s/%s, native %s, %s\n", version, runtime.GOOS, runtime.GOARCH, deploy.NativeArch(), runtime.Version())
	if agent, err := deploy.Own(); err == nil {
		text += "agent " + agent.Hash + "\n"
	} else {
		text += "agent: " + err.Error() + "\n"
	}
	w, err := distro.FindWSL()
	if err != nil {
		return text + "WSL: " + err.Error() + "\n"
	}
	wslVersion, err := w.WSLVersion(ctx)
	return text + "WSL " + cmp.Or(wslVersion, "of an unknown version") + " at " + w.Path() + "\n" + support.OrError("", err)
}

func statusJSON(ctx context.Context) (string, error) {
	found, err := control.RunningBridges(ctx, control.Chosen{})
	result := statusResult{Bridges: []control.Status{}, Installed: setup.RecordedInstallation()}
	for _, f := range found {
		result.Bridges = append(result.Bridges, statusOf(f))
	}
	if off := setup.SwitchedOff(ctx); off != nil {
		result.Off = off.Text
	}
	return indentJSON(result, err)
}

func streamsJSON(ctx context.Context) (string, error) {
	seen, err := top.LookOnce(ctx, func(ctx context.Context) (top.Look, error) { return lookAtAll(ctx, control.Chosen{}) })
	return indentJSON(seen, err)
}

func indentJSON(v any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(v, "", "  ")
	return string(b) + "\n", err
}

func doctorText(ctx context.Context) (string, error) {
	p, err := doctor.TargetOf(ctx, control.Chosen{}, endpoint.Endpoint{})
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = doctor.PrintFindings(&b, doctor.ExplainFindings(doctor.ExamineAll(ctx, p)))
	return b.String(), err
}

func configText() (string, error) {
	c, err := links.LoadOwn()
	if c == nil {
		return "", err
	}
	return config.ShownText(c.Files), err
}
