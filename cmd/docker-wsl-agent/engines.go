package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// engineTime bounds what one socket may cost.
const engineTime = 3 * time.Second

// maxEngineAnswer bounds what is passed on of an answer; dockerd's has 2 KiB.
const maxEngineAnswer = 8 << 10

// engineAnswer is what somebody at a socket has answered. It is of a build with the program that
// reads it, which makes sense of the answer.
type engineAnswer struct {
	Socket string `json:"socket"`
	Denied bool   `json:"denied,omitempty"` // this user may not connect
	Answer []byte `json:"answer,omitempty"` // empty: none has come
}

// listEngines asks whoever listens at the sockets of engines for a version.
func listEngines() int {
	list := []engineAnswer{}
	for _, socket := range engine.KnownSockets(strconv.Itoa(os.Getuid())) {
		if _, err := os.Lstat(socket); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		answer, err := askEngine(socket)
		list = append(list, engineAnswer{socket, errors.Is(err, fs.ErrPermission), answer})
	}
	if err := json.NewEncoder(os.Stdout).Encode(list); err != nil {
		return reportFailure(err)
	}
	return exitOK
}

func askEngine(socket string) ([]byte, error) {
	conn, err := net.DialTimeout("unix", socket, engineTime)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(engineTime)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, engine.VersionRequest); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(conn, maxEngineAnswer))
}
