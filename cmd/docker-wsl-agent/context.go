package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// cutRecorded takes the names of what the version before has made off the end of the arguments.
func cutRecorded(args []string) (rest, names []string) {
	if len(args) == 0 {
		return args, nil
	}
	last := len(args) - 1
	list, is := strings.CutPrefix(args[last], "--recorded=")
	if !is {
		return args, nil
	}
	return args[:last], strings.Split(list, ",")
}

// runContexts makes, removes or lists contexts of the docker command of the user who runs this. What came
// of it is told on stdout, in any case.
func runContexts(do string, args, recorded []string) int {
	dir := dockerDir()
	a := dockercontext.Answer{User: ownName(), Led: overrideIn(dir)}
	var err error
	switch do {
	case "create":
		a.Name = args[0]
		a.State, err = dockercontext.MakeContext(dir, args[0], args[1], recorded, isServed)
		a.Host = args[1]
		if a.State == dockercontext.Foreign || a.State == dockercontext.Taken {
			a.Host = hostOf(dir, args[0])
		}
	case "rm":
		err = removeContexts(dir, args, recorded, &a)
	default:
		a.List, err = dockercontext.ListContexts(dir, recorded)
	}
	if err != nil {
		a.Problem, a.Text = problemOf(err), err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		return reportFailure(err)
	}
	return exitOK
}

// removeContexts removes the named one or, without a name, all that are ours.
// One that can't be removed keeps none of the others.
func removeContexts(dir string, names, recorded []string, a *dockercontext.Answer) (failed error) {
	if len(names) == 1 {
		a.Name = names[0]
		a.Host = hostOf(dir, names[0])
	} else {
		list, err := dockercontext.ListContexts(dir, recorded)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Ours {
				names = append(names, c.Name)
			}
		}
	}
	for _, name := range names {
		state, err := dockercontext.RemoveContext(dir, name, recorded)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		a.State = state
		if state == dockercontext.Removed {
			a.Removed = append(a.Removed, name)
		}
	}
	return failed
}

func hostOf(dir, name string) string {
	list, _ := dockercontext.ListContexts(dir, nil) // one that can't be read leads nowhere
	for _, c := range list {
		if c.Name == name {
			return c.Host
		}
	}
	return ""
}

// dockerDir is where docker of this user has its files. HOME is what WSL has read in passwd.
func dockerDir() string {
	home := ""
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		home = u.HomeDir
	}
	return dockercontext.ConfigDir(os.Getenv, home)
}

func ownName() string {
	name, _, _ := strings.Cut(endpoint.OwnerNames(os.DirFS("/etc"), endpoint.Access{Uid: os.Getuid(), Gid: os.Getgid()}), ":")
	return name
}

func overrideIn(dir string) dockercontext.Override {
	return dockercontext.Override{
		DockerHost: os.Getenv("DOCKER_HOST"), DockerContext: os.Getenv("DOCKER_CONTEXT"), Current: dockercontext.CurrentContext(dir),
	}
}

// servedTime is what a socket gets to take a connection.
const servedTime = time.Second

// isServed tells whether somebody listens at a host. One that does not let us in may be.
func isServed(host string) bool {
	path, is := strings.CutPrefix(host, "unix://")
	if !is {
		return true
	}
	conn, err := net.DialTimeout("unix", path, servedTime)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED)
	}
	_ = conn.Close()
	return true
}

func problemOf(err error) dockercontext.Problem {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dockercontext.NoHome
	case errors.Is(err, syscall.EROFS):
		return dockercontext.ReadOnly
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return dockercontext.NoSpace
	case errors.Is(err, fs.ErrPermission):
		return dockercontext.Denied
	}
	return dockercontext.Failed
}
