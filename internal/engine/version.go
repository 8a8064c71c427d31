package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// maxVersion bounds the answer to VersionRequest; dockerd's has 2 KiB.
const maxVersion = 32 << 10

// VersionRequest is the whole request that ReadVersion reads the answer to.
const VersionRequest = "GET /version HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"

// Version is what an engine says of itself at length.
type Version struct {
	OSType        string `json:"osType"`
	Version       string `json:"version"`
	APIVersion    string `json:"apiVersion"`              // the newest that it speaks
	MinAPIVersion string `json:"minApiVersion,omitempty"` // the oldest
	Arch          string `json:"arch,omitempty"`
	Platform      string `json:"platform,omitempty"` // such as Docker Desktop 4.1.0
}

// AskVersion asks an engine for its version. It takes 3 s at the most, if dial obeys its context. Errors of
// dial are passed on; the others are ErrNotEngine and ErrNoAnswer.
func AskVersion(ctx context.Context, dial func(context.Context) (net.Conn, error)) (Version, error) {
	v, err := askVersion(ctx, dial)
	if err != nil {
		return Version{}, fmt.Errorf("ask engine for its version: %w", err)
	}
	return v, nil
}

func askVersion(ctx context.Context, dial func(context.Context) (net.Conn, error)) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return Version{}, err
	}
	defer conn.Close()
	end, _ := ctx.Deadline()
	if err := conn.SetDeadline(end); err != nil {
		return Version{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err = io.WriteString(conn, VersionRequest); err != nil {
		return Version{}, ErrNotEngine
	}
	v, err := ReadVersion(conn)
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return Version{}, ErrNoAnswer
	}
	if err != nil {
		return Version{}, ErrNotEngine // and not what net/http quotes of the answer
	}
	return v, nil
}

// ReadVersion reads the answer to VersionRequest. What it returns is short and printable.
func ReadVersion(r io.Reader) (Version, error) {
	answer, err := http.ReadResponse(bufio.NewReader(io.LimitReader(r, maxVersion)), nil)
	if err != nil {
		return Version{}, fmt.Errorf("read version: %w", err)
	}
	defer answer.Body.Close()
	var said struct {
		Os, Version, ApiVersion, MinAPIVersion, Arch string
		Platform                                     struct{ Name string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return Version{}, fmt.Errorf("read version: %w", err)
	}
	if answer.StatusCode != http.StatusOK || said.Os == "" || said.ApiVersion == "" {
		return Version{}, ErrNotEngine
	}
	return Version{
		OSType: strings.ToLower(printable.Line(said.Os)), Version: printable.Line(said.Version), APIVersion: printable.Line(said.ApiVersion),
		MinAPIVersion: printable.Line(said.MinAPIVersion), Arch: printable.Line(said.Arch), Platform: printable.Line(said.Platform.Name),
	}, nil
}

// Pipe is one at which an engine listens, as a rule.
type Pipe struct {
	Name  string
	Whose string // the product
}

// KnownPipes are the pipes of Windows on which engines of any kind are known to listen.
func KnownPipes() []Pipe {
	return []Pipe{
		{"docker_engine_windows", "dockerd for Windows containers, moved aside"},
		{"dockerDesktopWindowsEngine", "Docker Desktop, Windows containers"},
		{"docker_engine", "dockerd, Stevedore or Docker Desktop"},
		{"dockerDesktopLinuxEngine", "Docker Desktop, Linux containers"},
		{"docker_engine_linux", "Docker Desktop, Linux containers"},
		{"podman-machine-default", "Podman"},
	}
}

// KnownSockets are where engines of any kind are known to listen in a distro: Docker's and Podman's, those of
// root and those of the user with that number.
func KnownSockets(uid string) []string {
	own := "/run/user/" + uid + "/"
	return []string{"/var/run/docker.sock", own + "docker.sock", "/run/podman/podman.sock", own + "podman/podman.sock"}
}
