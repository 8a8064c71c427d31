package main

import (
	"io/fs"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

func accessOf(fs.FileInfo) (endpoint.Access, bool) { return endpoint.Access{}, false }

func mayConnect(string) bool { return false }
