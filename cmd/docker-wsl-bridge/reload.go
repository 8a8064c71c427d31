package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

var (
	errNoConfigured = errors.New("no bridge runs that serves the configuration")
)

func reloadCommand() *cobra.Command {
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the running bridge read its configuration again",
		Long: `reload has the bridge that serves the configuration read it again. Links that are
as before keep their sockets and connections, those that are new are served, those
that are gone or others now lose their socket; connections that are under way go on.
A configuration that is wrong changes nothing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := reloadRunning(cmd)
			if err != nil {
				return &failure{error: err}
			}
			return p.Result(done, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, printable.Escape(reloadedWords(done)))
				return err
			})
		},
	}
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

func reloadRunning(cmd *cobra.Command) (done control.Reloaded, err error) {
	file, err := links.UserFile()
	if err != nil {
		return done, err
	}
	dir, err := state.Dir()
	if err != nil {
		return done, err
	}
	at, err := endpoint.PrivateEndpoint(state.RunDir(dir), control.ConfigPlace(file).ID())
	if err != nil {
		return done, err
	}
	done, err = control.ReloadInstance(cmd.Context(), at)
	var refused *control.RefusedError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return done, advice.With(errNoConfigured, []codes.Hint{advice.ReloadNoneHint()})
	case errors.As(err, &refused):
		return done, advice.With(errors.New("nothing was changed: "+printable.Escape(refused.Text)), []codes.Hint{advice.ConfigCheckHint()})
	}
	return done, err
}

// reloadedWords say what has changed.
func reloadedWords(done control.Reloaded) string {
	var parts []string
	for _, of := range []struct {
		what  string
		names []string
	}{{"added", done.Added}, {"removed", done.Removed}, {"changed", done.Changed}, {"unchanged", done.Unchanged}} {
		if len(of.names) > 0 {
			parts = append(parts, of.what+" "+strings.Join(of.names, ", "))
		}
	}
	return "reloaded: " + strings.Join(parts, "; ")
}
