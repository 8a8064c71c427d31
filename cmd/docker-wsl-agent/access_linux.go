package main

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

func accessOf(info fs.FileInfo) (endpoint.Access, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return endpoint.Access{}, false
	}
	return endpoint.Access{Mode: info.Mode(), Uid: int(st.Uid), Gid: int(st.Gid)}, true
}

// mayConnect asks as connect(2) does: for the right to write.
func mayConnect(path string) bool { return unix.Access(path, unix.W_OK) == nil }
