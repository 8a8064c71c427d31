package main

import (
	"os"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// sharedEnvironment is what WSLENV lets through: names with flags, split by
// colons, like DOCKER_HOST/u:GOPATH/p. /w alone means the other direction.
func sharedEnvironment() []wire.Var {
	list := os.Getenv("WSLENV")
	var vars []wire.Var
	for _, entry := range strings.Split(list, ":") {
		name, flags, _ := strings.Cut(entry, "/")
		value, set := os.LookupEnv(name)
		if !set || strings.Contains(flags, "w") {
			continue
		}
		vars = append(vars, wire.Var{Name: name, Value: value, Flags: flags})
	}
	if list != "" {
		vars = append(vars, wire.Var{Name: "WSLENV", Value: list})
	}
	return vars
}
