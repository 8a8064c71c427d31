package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// userConfig is where this user's file belongs.
func userConfig() (string, error) { return config.UserFile(runtime.GOOS, os.Getenv) }

// loadConfig is what counts, understood. Its error may be a config.Errors.
func loadConfig() (*config.Config, error) {
	user, err := userConfig()
	if err != nil {
		return nil, err
	}
	c, err := config.Load(config.MachineFile(), user)
	if err != nil {
		return nil, err
	}
	return c, understandLinks(c, runtime.GOOS)
}

// configured is what the files want, nil if they name no link or flags say what is served.
func configured(flags *pflag.FlagSet) (*config.Config, error) {
	if linkFlags(flags) {
		return nil, nil
	}
	c, err := fromFiles()
	if err == nil && c.Default {
		return nil, nil
	}
	return c, err
}

// fromFiles is what the files want. That of no file is not looked into: it depends on what there is.
func fromFiles() (*config.Config, error) {
	user, err := userConfig()
	if err != nil {
		return &config.Config{Default: true}, nil // without a place there is no file
	}
	c, err := config.Load(config.MachineFile(), user)
	if err != nil || c.Default {
		return c, err
	}
	return c, understandLinks(c, runtime.GOOS)
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
func configuredFor(args []string) (*config.Config, error) {
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

// understandLinks finds what can't be served, and where that is written.
func understandLinks(c *config.Config, goos string) error {
	var wrong config.Errors
	for i := range c.Links {
		if _, err := linkOptions(&c.Links[i], goos); err != nil {
			wrong = append(wrong, err)
		}
	}
	wrong = append(append(wrong, samePipes(c.Links, goos)...), sameContexts(c.Links, goos)...)
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// linkOptions are what up would be told for a link.
func linkOptions(l *config.Link, goos string) (*options, *config.Error) {
	if l.Reverse() {
		return reverseOptions(l, goos)
	}
	o := &options{
		name: l.Name, distro: l.Distro, mode: l.Mode, owner: l.Owner,
		kind: l.Kind, keepAlive: l.KeepAlive, paths: l.Paths, trustOwner: l.TrustPipeOwner,
	}
	place, err := endpoint.Parse(l.From, "linux")
	if err != nil {
		return nil, l.Wrong("from", err)
	}
	o.socket = place.Path()
	if key, err := o.everywhere(l); err != nil {
		return nil, l.Wrong(key, err)
	}
	if err := o.checkDistro(); err != nil {
		return nil, l.Wrong("distro", err)
	}
	if l.Allow != "" {
		return nil, l.Wrong("allow", errors.New("that is for a pipe on Windows; mode and owner say who may use a socket"))
	}
	if l.Mode != "" {
		if bits, err := strconv.ParseUint(l.Mode, 8, 32); err != nil || bits > 0o777 {
			return nil, l.Wrong("mode", errors.New("it is no octal number up to 0777, such as \"0660\""))
		}
	}
	if err := o.leadTo(l.To, goos); err != nil {
		return nil, l.Wrong("to", err)
	}
	if o.context = l.Context; o.context == config.Off {
		o.context = noContext
	}
	if err := o.understandContext(); err != nil {
		return nil, l.Wrong("context", err)
	}
	if l.TrustPipeOwner && (goos == "windows" && l.To.IsAuto() || l.To.Exec != nil) {
		return nil, l.Wrong("trust-pipe-owner", errors.New("the pipe must be named; write to = \"NAME\""))
	}
	if l.Kind == config.Raw && l.To.IsAuto() {
		return nil, l.Wrong("kind", errors.New("raw needs to be told what to carry; write to = \"NAME\""))
	}
	return o, nil
}

// sameContexts are links of a distro that would have one docker context.
func sameContexts(links []config.Link, goos string) (wrong config.Errors) {
	seen := map[string]string{} // links, by distros and contexts
	for i := range links {
		l := &links[i]
		o, err := linkOptions(l, goos)
		if err != nil || o.context == "" {
			continue // it is told elsewhere
		}
		context := strings.ToLower(l.Distro) + "\x00" + o.context
		if other := seen[context]; other != "" {
			wrong = append(wrong, l.Wrong("context", fmt.Errorf("the link %s has the docker context %s already; write another name, or off", other, o.context)))
			continue
		}
		seen[context] = l.Name
	}
	return wrong
}

// checkDistro wants a name that a distro can have, or none.
func (o *options) checkDistro() error {
	if o.distro == "" || o.shared {
		return nil
	}
	_, err := (wsl.Launch{Distro: o.distro, Argv: []string{"true"}}).Args()
	return err
}

// leadTo notes the other end.
func (o *options) leadTo(to config.To, goos string) (err error) {
	switch {
	case to.Exec != nil:
		o.engine, err = endpoint.Exec(to.Exec)
	case !to.IsAuto():
		o.engine, err = endpoint.Parse(to.Place, goos)
	case goos != "windows":
		return errors.New("engines are looked for on Windows only; write to = \"unix:/var/run/docker.sock\"")
	}
	return err
}
