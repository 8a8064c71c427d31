package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Make, check and show the configuration",
		Long: `config is for the file that names links: which socket in which distro leads where.
Without a file there is one link, which is what up serves.`,
		Args: nearest,
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
				err = writeStarter(file)
			}
			if errors.Is(err, errThere) {
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

// errThere says that there is a configuration.
var errThere = errors.New("there is a configuration already")

// writeStarter leaves a file that is there alone, whatever it is. A new one gets its schema beside it.
func writeStarter(file string) error {
	err := state.Create(file, []byte(config.Starter), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", errThere, file)
	}
	if err == nil {
		err = state.Write(filepath.Join(filepath.Dir(file), config.SchemaFile), config.Schema(), 0o600)
	}
	if err != nil {
		return fmt.Errorf("make configuration: %w", err)
	}
	return nil
}

func configCheckCommand() *cobra.Command {
	var asJSON bool
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
			if err := printChecked(cmd.OutOrStdout(), c, wrong, asJSON); err != nil {
				return &failure{error: err}
			}
			if len(wrong) > 0 {
				return configFailed(fmt.Errorf("the configuration has %s", count(len(wrong), "error")), advice.ConfigPathHint())
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object")
	return cmd
}

func checkConfig(args []string) (*links.Set, error) {
	if len(args) == 0 {
		return links.LoadOwn()
	}
	return links.Check(args[0], runtime.GOOS)
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// wrongJSON is an error for a script.
type wrongJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Error  string `json:"error"`
}

// checkedJSON is what check tells a script.
type checkedJSON struct {
	Valid   bool        `json:"valid"`
	Files   []string    `json:"files"`
	Links   int         `json:"links"`
	Errors  []wrongJSON `json:"errors"`
	Ignored string      `json:"ignored,omitempty"` // why the machine's file does not count
}

func printChecked(w io.Writer, set *links.Set, wrong config.Errors, asJSON bool) error {
	var c *config.Config
	if set != nil {
		c = set.Files
	}
	if asJSON {
		out := checkedJSON{Valid: len(wrong) == 0, Files: []string{}, Errors: []wrongJSON{}}
		if c != nil {
			out.Files, out.Links, out.Ignored = append(out.Files, c.Files...), len(c.Links), ignoredWords(c)
		}
		for _, e := range wrong {
			out.Errors = append(out.Errors, wrongJSON{e.At.File, e.At.Line, e.At.Column, e.Text})
		}
		return json.NewEncoder(w).Encode(out)
	}
	for _, e := range wrong {
		if _, err := fmt.Fprintln(w, e); err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return nil
	}
	for _, file := range c.Files {
		fmt.Fprintln(w, printable.Line(file))
	}
	if why := ignoredWords(c); why != "" {
		fmt.Fprintln(w, "not counted:", why)
	}
	_, err := fmt.Fprintln(w, rightWords(c))
	return err
}

// rightWords say what the files have, of which nothing is wrong.
func rightWords(c *config.Config) string {
	if c.Default {
		return "no file names a link: there is the one that up serves without flags"
	}
	return count(len(c.Links), "link") + ", nothing is wrong"
}

// filesRight tells how the files are. The error is what is wrong with them.
func filesRight() (string, error) {
	c, err := links.LoadOwnNamed()
	if err != nil {
		return "", err
	}
	words := rightWords(c.Files)
	if why := ignoredWords(c.Files); why != "" {
		words += "; the machine's is not counted: " + why
	}
	return words, nil
}

// ignoredWords say why the machine's file does not count, if it is there and does not.
func ignoredWords(c *config.Config) string {
	if c.Ignored == nil {
		return ""
	}
	return printable.Line(c.Ignored.Error())
}

// valueJSON is one value for a script.
type valueJSON struct {
	Value  any    `json:"value"`
	Source string `json:"source"` // "default", or "file"
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func configShowCommand() *cobra.Command {
	var asJSON bool
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
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(shownJSON(c.Files))
			} else {
				_, err = fmt.Fprint(cmd.OutOrStdout(), shownText(c.Files))
			}
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object")
	return cmd
}

func shownText(c *config.Config) string {
	if why := ignoredWords(c); why != "" {
		return "# not counted: " + why + "\n\n" + c.TOML()
	}
	return c.TOML()
}

func shownJSON(c *config.Config) any {
	links := []map[string]valueJSON{}
	for i := range c.Links {
		values := map[string]valueJSON{}
		for _, v := range c.Links[i].Values() {
			out := valueJSON{v.Value, "default", v.Source.File, v.Source.Line, v.Source.Column}
			if v.Source.Line > 0 {
				out.Source = "file"
			}
			if words, is := v.Value.([]string); is {
				out.Value = map[string][]string{"exec": words}
			}
			values[v.Key] = out
		}
		links = append(links, values)
	}
	return map[string]any{"links": links, "files": append([]string{}, c.Files...), "ignored": ignoredWords(c)}
}

func configPathCommand() *cobra.Command {
	var asJSON bool
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
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(map[string]any{
					"user": user, "userThere": isThere(user), "machine": machine, "machineThere": isThere(machine),
				})
			}
			_, err = fmt.Fprintf(out, "user     %s%s\nmachine  %s%s\n", user, thereWords(user), machine, thereWords(machine))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object")
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
