package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/top"
)

const (
	// bundleTime bounds what is asked for a report.
	bundleTime = 2 * time.Minute
	// maxLogs bounds the logs in it, the newest first; that of one socket has 5 MiB at the most.
	maxLogs = 32 << 20
)

const bundleReadme = `A report of docker-wsl-bridge, made on its user's order and sent nowhere.

versions.txt   the program, the system and WSL
status.json    the bridges that run, as docker-wsl-bridge status --json
streams.json   what they carry, as docker-wsl-bridge top --once --json
doctor.txt     as docker-wsl-bridge doctor
config.txt     the configuration that counts, as docker-wsl-bridge config show
logs/          what they have logged

Taken out, in all of them: names of users and groups, home directories, names of
machines, hosts, domains, servers and shares, words of commands that links lead to, SIDs, and what looks like a
password or a token. The same thing has the same stand-in everywhere: USER1, HOST1,
WORD1; SECRET stands for each SID, password and token.

Left in: names of distros, links, pipes and sockets, uids and process numbers, times,
sizes, the names of programs that have connected, and which call of the Docker API
they were at. What was carried is in none of it: it is logged nowhere.

Programs make mistakes: look into it before you give it to somebody.
`

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
			path, err := writeBundle(cmp.Or(file, "docker-wsl-bridge-report-"+time.Now().Format("20060102-150405")+".zip"), gather(ctx))
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

// part is a file of a report. What can't be had is an error's text instead.
type part struct {
	name, text string
	when       time.Time
}

// gather looks at everything. Nothing that fails keeps the rest out.
func gather(ctx context.Context) []part {
	now := time.Now()
	parts := []part{
		{"README.txt", bundleReadme, now},
		{"versions.txt", versionsText(ctx), now},
		{"status.json", orError(statusJSON(ctx)), now},
		{"streams.json", orError(streamsJSON(ctx)), now},
		{"doctor.txt", orError(doctorText(ctx)), now},
		{"config.txt", orError(configText()), now},
	}
	logs, err := logParts()
	if err != nil {
		return append(parts, part{"logs/error.txt", err.Error() + "\n", now})
	}
	return append(parts, logs...)
}

func orError(text string, err error) string {
	if err != nil {
		return text + "error: " + err.Error() + "\n"
	}
	return text
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
	wslVersion, err := w.Version(ctx)
	return text + "WSL " + cmp.Or(wslVersion, "of an unknown version") + " at " + w.Path() + "\n" + orError("", err)
}

func statusJSON(ctx context.Context) (string, error) {
	found, err := running(ctx, chosen{})
	result := statusResult{Bridges: []control.Status{}, Installed: recorded()}
	for _, f := range found {
		result.Bridges = append(result.Bridges, statusOf(f))
	}
	if off := switchedOff(ctx); off != nil {
		result.Off = off.Text
	}
	return indented(result, err)
}

func streamsJSON(ctx context.Context) (string, error) {
	seen, err := top.Once(ctx, func(ctx context.Context) (top.Look, error) { return look(ctx, chosen{}) })
	return indented(seen, err)
}

func indented(v any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(v, "", "  ")
	return string(b) + "\n", err
}

func doctorText(ctx context.Context) (string, error) {
	p, err := patient(ctx, chosen{}, "")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = printFindings(&b, explained(examine(ctx, p)))
	return b.String(), err
}

func configText() (string, error) {
	c, err := loadConfig()
	if c == nil {
		return "", err
	}
	return shownText(c.Files), err
}

// logParts are the logs of all bridges, the newest first.
func logParts() (parts []part, err error) {
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(state, "logs")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for logs: %w", err)
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.Contains(e.Name(), ".log") {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	left := int64(maxLogs)
	for _, info := range infos {
		if left -= info.Size(); left < 0 {
			break
		}
		text, err := files.Read(filepath.Join(dir, info.Name()), maxLogs)
		parts = append(parts, part{"logs/" + info.Name(), orError(string(text), err), info.ModTime()})
	}
	return parts, nil
}

// writeBundle writes what is left of the parts without names, and gives the file's whole path.
func writeBundle(file string, parts []part) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range withoutNames(parts) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: p.when})
		if err == nil {
			_, err = w.Write([]byte(p.text))
		}
		if err != nil {
			return "", fmt.Errorf("write report: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	_, err = out.Write(b.Bytes())
	if err = errors.Join(err, out.Close()); err != nil {
		return "", fmt.Errorf("write report: %w", errors.Join(err, files.Remove(path)))
	}
	return path, nil
}
