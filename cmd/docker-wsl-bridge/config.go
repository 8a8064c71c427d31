package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Make, check and show the configuration",
		Long: `config is for the file that names links: which socket in which distro leads where.
Without a file there is one link, which is what up serves.`,
		Args: suggestCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(configInitCommand(), configCheckCommand(), configShowCommand(), configPathCommand())
	return cmd
}

// configFailed is an error of the files, which has nothing to do with what else is not there.
func configFailed(err error, hint codes.Hint) error {
	return &failure{error: advice.With(err, []codes.Hint{hint})}
}

func configInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Make a file that sets nothing and tells what can be set",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := links.UserFile()
			if err == nil {
				err = links.WriteStarter(file)
			}
			if errors.Is(err, links.ErrThere) {
				return configFailed(err, advice.ConfigCheckHint())
			}
			if err != nil {
				return &failure{error: err}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), file)
			return err
		},
	}
}

func configCheckCommand() *cobra.Command {
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Tell what is wrong with the configuration, and where",
		Long: `check reads the files that count, or FILE alone as this user's, and tells all that
is wrong: file, line, column, and what would be right. Its exit code is 0 when
nothing is, else 1.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := checkConfig(args)
			var wrong config.Errors
			if err != nil && !errors.As(err, &wrong) {
				return configFailed(err, advice.ConfigPathHint())
			}
			if err := p.Result(checkedObject(c, wrong), func(w io.Writer) error { return printChecked(w, c, wrong) }); err != nil {
				return &failure{error: err}
			}
			if len(wrong) > 0 {
				return configFailed(fmt.Errorf("the configuration has %s", config.CountWords(len(wrong), "error")), advice.ConfigPathHint())
			}
			return nil
		},
	}
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

func checkConfig(args []string) (*links.Set, error) {
	if len(args) == 0 {
		return links.LoadOwn()
	}
	return links.CheckFile(args[0], runtime.GOOS)
}

// checkedObject is what a script is told of a check. set is nil if nothing could be read.
func checkedObject(set *links.Set, wrong config.Errors) config.CheckedJSON {
	out := config.CheckedJSON{Valid: len(wrong) == 0, Files: []string{}, Errors: []config.WrongJSON{}}
	if set != nil && set.Files != nil {
		c := set.Files
		out.Files, out.Links, out.Ignored = append(out.Files, c.Files...), len(c.Links), config.IgnoredWords(c)
	}
	for _, e := range wrong {
		out.Errors = append(out.Errors, config.WrongJSON{File: e.At.File, Line: e.At.Line, Column: e.At.Column, Error: e.Text})
	}
	return out
}

func printChecked(w io.Writer, set *links.Set, wrong config.Errors) error {
	for _, e := range wrong {
		if _, err := fmt.Fprintln(w, e); err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return nil
	}
	c := set.Files
	for _, file := range c.Files {
		fmt.Fprintln(w, printable.Line(file))
	}
	if why := config.IgnoredWords(c); why != "" {
		fmt.Fprintln(w, "not counted:", why)
	}
	_, err := fmt.Fprintln(w, config.RightWords(c))
	return err
}

func configShowCommand() *cobra.Command {
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print what counts, and where each value comes from",
		Long: `show prints all links with all their values, as a file of the same form, and behind
each value the file and line that it comes from.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := links.LoadOwn()
			if err != nil {
				return configFailed(err, advice.ConfigCheckHint())
			}
			err = p.Result(config.ShownJSON(c.Files), func(w io.Writer) error {
				_, err := fmt.Fprint(w, config.ShownText(c.Files))
				return err
			})
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

func configPathCommand() *cobra.Command {
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "path",
		Short: "Print where the files belong, and whether they are there",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			user, err := links.UserFile()
			if err != nil {
				return &failure{error: err}
			}
			machine := config.MachineFile()
			object := map[string]any{
				"user": user, "userThere": isThere(user), "machine": machine, "machineThere": isThere(machine),
			}
			return p.Result(object, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "user     %s%s\nmachine  %s%s\n", user, thereWords(user), machine, thereWords(machine))
				return err
			})
		},
	}
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

func isThere(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func thereWords(file string) string {
	if isThere(file) {
		return ""
	}
	return "  (not there)"
}
