package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// silent is the state of a bridge that does not answer.
const silent = "silent"

func statusCommand() *cobra.Command {
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether it works and, if not, what to do",
		Long: `status tells of each bridge of this user that runs: what it serves, whether a
client that connects now reaches the engine and, if not, what to do.

On Windows it tells whether it is installed, what starts it at logon, and why that.

Its exit code is 0 when all of them work, and 1 when one does not or none runs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := control.RunningBridges(cmd.Context(), control.Chosen{})
			if err != nil {
				return &failure{error: err}
			}
			all := make([]control.Status, len(found))
			for i, f := range found {
				all[i] = statusOf(f)
			}
			installed := setup.RecordedInstallation()
			var wrong error // why nothing runs, as far as the files tell
			if len(all) == 0 {
				wrong = setup.WrongFiles(installed)
			}
			result := statusResult{Bridges: all, Installed: installed, ConfigurationError: wordsOf(wrong)}
			if result.off = setup.SwitchedOff(cmd.Context()); result.off != nil {
				result.Off = result.off.Text
			}
			if err := p.Result(result, func(w io.Writer) error { return printStatus(w, result) }); err != nil {
				return &failure{error: err}
			}
			return wellOrNot(all, installed, wrong)
		},
	}
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

// statusResult is what a script is told.
type statusResult struct {
	Bridges   []control.Status `json:"bridges"`
	Installed *install.Record  `json:"installed,omitempty"`
	// Off is why Windows does not start at logon what is installed.
	Off string `json:"switchedOff,omitempty"`
	off *install.OffError
	// ConfigurationError is what is wrong with the configuration, when none runs.
	ConfigurationError string `json:"configurationError,omitempty"`
}

// wordsOf are those of an error that may be none.
func wordsOf(err error) string {
	if err == nil {
		return ""
	}
	return printable.Escape(err.Error())
}

// statusOf is what a bridge said of itself or, if it said nothing, what its file says.
func statusOf(f control.Found) control.Status {
	if f.Err == nil {
		return f.Status
	}
	return control.Status{
		PID: f.PID, State: silent, Reason: f.Err.Error(), Hints: advice.KillHints(f.PID),
		Link: control.Link{Name: links.FlagsName, Distro: f.Place.Distro, Socket: f.Place.Socket},
	}
}

// wellOrNot is the end of a status. wrong is what is wrong with the configuration, when none runs.
func wellOrNot(all []control.Status, installed *install.Record, wrong error) error {
	switch {
	case len(all) > 0:
	case wrong != nil: // a start would not help
		return configFailed(fmt.Errorf("no bridge runs, and the configuration is wrong: %w", wrong), advice.ConfigCheckHint())
	case installed != nil:
		return &failure{error: advice.With(errors.New("no bridge runs, though one is installed"), []codes.Hint{advice.StartAgainHint()})}
	default:
		return &failure{error: advice.With(errors.New("no bridge runs"), []codes.Hint{advice.NoneHint()})}
	}
	for _, s := range all {
		if !s.Works {
			why := fmt.Errorf("the bridge for %s does not work: %s", control.PlaceName(s.Link.PlaceOf()), printable.Line(advice.ReasonOf(s)))
			return &failure{error: advice.With(why, s.Hints)}
		}
	}
	return nil
}

func printStatus(w io.Writer, r statusResult) error {
	if r.Installed != nil {
		words, hint := setup.InstalledWords(r.Installed), ""
		if r.off != nil {
			words, hint = "switched off: "+r.off.Text+"; else "+words, console.HintLine(advice.SwitchOnHint(r.off))
		}
		if _, err := fmt.Fprintf(w, "%-9s%s\n%s\n", "at logon", printable.Escape(words), hint); err != nil {
			return err
		}
	}
	for i, s := range r.Bridges {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := io.WriteString(w, statusText(s)); err != nil {
			return err
		}
	}
	return nil
}

// statusText is for a person. Hints come with the error that ends it.
func statusText(s control.Status) string {
	text := ""
	line := func(name, format string, args ...any) {
		text += fmt.Sprintf("%-9s%s\n", name, printable.Escape(fmt.Sprintf(format, args...)))
	}
	if s.Config != "" {
		line("link", "%s", s.Link.Name)
	}
	if s.Link.Reverse {
		line("pipe", "%s, which leads to %s", s.Link.Socket, s.Link.Distro)
	} else {
		line("socket", "%s  %s %s", control.PlaceName(s.Link.PlaceOf()), s.Link.Owner, s.Link.Mode)
	}
	if s.Link.PlaceOf().IsInEveryDistro() {
		line("", "for %s of each distro and root%s", uidWords(s.Link.Uids), servedBy(s.Link.Host))
	}
	line("state", "%s%s", advice.ReasonOf(s), sinceText(s.StateSince))
	if !s.Next.IsZero() {
		line("", "next attempt at %s", s.Next.Local().Format(time.TimeOnly))
	}
	if s.Link.Context != "" {
		line("context", "%s", s.Link.Context)
	}
	if s.Link.Engine != "" {
		line("engine", "%s", s.Link.Engine)
	}
	if s.Engine != (engine.Info{}) {
		line("", "%s, for %s containers, API %s", s.Engine.Server, s.Engine.OSType, s.Engine.APIVersion)
	}
	if s.RoundTrip > 0 {
		line("carrier", "%d connections, round trip %.1f ms", s.Streams, s.RoundTrip*1000)
	}
	line("process", "pid %d, version %s%s", s.PID, s.Version, sinceText(s.Since))
	if s.Log != "" {
		line("log", "%s", s.Log)
	}
	return text
}

func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", since " + t.Local().Format(time.DateTime)
}

// uidWords are users by number.
func uidWords(uids []int) string {
	words := make([]string, len(uids))
	for i, uid := range uids {
		words[i] = strconv.Itoa(uid)
	}
	if len(words) == 1 {
		return "uid " + words[0]
	}
	return "uids " + strings.Join(words, ", ")
}

// servedBy says who serves all distros, once that is known.
func servedBy(host string) string {
	if host == "" {
		return ""
	}
	return ", served by " + host
}
