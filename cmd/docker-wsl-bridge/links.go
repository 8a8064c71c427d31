package main

import (
	"os"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

// userConfig is where this user's file belongs.
func userConfig() (string, error) { return config.UserFile(runtime.GOOS, os.Getenv) }

// loadConfig is what counts. Its error may be a config.Errors.
func loadConfig() (*links.Set, error) {
	user, err := userConfig()
	if err != nil {
		return nil, err
	}
	return links.Load(config.MachineFile(), user, runtime.GOOS)
}

// configured is what the files want, nil if they name no link or flags say what is served.
func configured(flags *pflag.FlagSet) (*links.Set, error) {
	if linkFlags(flags) {
		return nil, nil
	}
	c, err := fromFiles()
	if err == nil && c.Files.Default {
		return nil, nil
	}
	return c, err
}

// fromFiles is what the files want. That of no file is not looked into: it depends on what there is.
func fromFiles() (*links.Set, error) {
	user, err := userConfig()
	if err != nil {
		return &links.Set{Files: &config.Config{Default: true}}, nil // without a place there is no file
	}
	return links.LoadNamed(config.MachineFile(), user, runtime.GOOS)
}

// wrongFiles is what is wrong with the files, if what is started next reads them: what is installed, or up.
func wrongFiles(installed *install.Record) error {
	if installed == nil {
		installed = &install.Record{}
	}
	_, err := configuredFor(installed.Args)
	return err
}

// configuredFor is configured of what is started with these arguments, the verb first. With those that
// run does not know it reads no file.
func configuredFor(args []string) (*links.Set, error) {
	run := runCommand()
	if len(args) > 0 {
		if err := run.ParseFlags(args[1:]); err != nil {
			return nil, nil
		}
	}
	return configured(run.Flags())
}

// linkFlags tells whether one was given that says what is served.
func linkFlags(flags *pflag.FlagSet) (given bool) {
	flags.Visit(func(f *pflag.Flag) { given = given || f.Name != "json" && f.Name != "debug" && f.Name != ifInstalled })
	return given
}
