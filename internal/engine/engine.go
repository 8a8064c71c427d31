// Package engine recognises a Docker engine by its answer to one ping, and finds one among
// the pipes that engines use.
//
// It is given a way to connect and knows nothing of what is behind it. It holds no
// connection: one ping, one connection.
//
// Law: whatever answers is bounded in time and size, and nothing it sends
// reaches a caller but short printable words.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

const (
	// maxHead and maxBody bound the answer; an engine's has 300 bytes.
	maxHead = 16 << 10
	maxBody = 4 << 10
	// probeTimeout is what one candidate may cost. An engine answers a ping within
	// milliseconds; a pipe that accepts and never answers is given up after this.
	probeTimeout = 3 * time.Second
)

var (
	// ErrNotEngine says that something answered which is no Docker engine.
	ErrNotEngine = errors.New("what answers there is no docker engine")
	// ErrNoAnswer says that a connection was accepted and not answered in time.
	ErrNoAnswer = errors.New("it accepts connections and does not answer")
)

// Info is what an engine says of itself.
type Info struct {
	OSType     string `json:"osType"`     // windows or linux, in lower case
	APIVersion string `json:"apiVersion"` // such as 1.41
	Server     string `json:"server"`     // such as Docker/20.10.24 (linux)
	Version    string `json:"version"`    // of the engine, read from Server; empty if it is not there
}

// Probe pings the engine that dial connects to. Errors of dial are passed on; the others
// are ErrNotEngine and ErrNoAnswer.
func Probe(ctx context.Context, dial func(context.Context) (net.Conn, error)) (Info, error) {
	info, err := probeWithinTime(ctx, dial)
	if err != nil {
		return Info{}, fmt.Errorf("ping engine: %w", err)
	}
	return info, nil
}

func probeWithinTime(ctx context.Context, dial func(context.Context) (net.Conn, error)) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return Info{}, err
	}
	defer conn.Close()
	answer, err := sendPingRequest(ctx, conn)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return Info{}, ErrNoAnswer
	}
	if ctx.Err() != nil {
		return Info{}, context.Cause(ctx)
	}
	if err != nil {
		return Info{}, ErrNotEngine // and not what net/http quotes of the answer
	}
	return readInfo(answer)
}

// sendPingRequest sends one request over conn and returns the answer without its body.
func sendPingRequest(ctx context.Context, conn net.Conn) (*http.Response, error) {
	transport := &http.Transport{
		DialContext:            func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return nil, err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxBody))
	return answer, err
}

// readInfo takes an answer for an engine's by its headers: dockerd and its kin send both of
// them even when they report that they are unwell (status 500).
func readInfo(answer *http.Response) (Info, error) {
	info := Info{
		OSType:     strings.ToLower(printable.Line(answer.Header.Get("Ostype"))),
		APIVersion: printable.Line(answer.Header.Get("Api-Version")),
		Server:     printable.Line(answer.Header.Get("Server")),
	}
	if info.OSType == "" || info.APIVersion == "" {
		return Info{}, ErrNotEngine
	}
	if _, version, found := strings.Cut(info.Server, "/"); found {
		info.Version, _, _ = strings.Cut(version, " ")
	}
	return info, nil
}

// PipeNames are the pipes on which a Windows engine is looked for, best first: the one of an engine
// that has moved aside for another, Docker Desktop's, and the usual one.
func PipeNames() []string {
	return []string{"docker_engine_windows", "dockerDesktopWindowsEngine", "docker_engine"}
}

// Seen is what was found under one name.
type Seen struct {
	Name string
	Info Info  // of an engine that is not a Windows one
	Err  error // nil if an engine answered
}

func (s Seen) String() string {
	switch {
	case s.Err == nil:
		return fmt.Sprintf("%s: a %s engine", s.Name, s.Info.OSType)
	case errors.Is(s.Err, fs.ErrNotExist):
		return s.Name + ": not there"
	case errors.Is(s.Err, fs.ErrPermission):
		return s.Name + ": access denied"
	case errors.Is(s.Err, ErrNoAnswer), errors.Is(s.Err, os.ErrDeadlineExceeded), errors.Is(s.Err, context.DeadlineExceeded):
		return s.Name + ": no answer"
	case errors.Is(s.Err, ErrNotEngine):
		return s.Name + ": no docker engine"
	}
	return fmt.Sprintf("%s: %v", s.Name, s.Err)
}

// NotFoundError tells what was seen under each name that was tried.
type NotFoundError struct{ Seen []Seen }

func (e *NotFoundError) Error() string {
	seen := make([]string, len(e.Seen))
	for i, s := range e.Seen {
		seen[i] = s.String()
	}
	return "no windows engine found (" + strings.Join(seen, "; ") + ")"
}

// FindEngine pings all names at once and returns the first in their order on which a Windows
// engine answers. It takes 3 s at the most, if dial obeys its context; the error is a
// *NotFoundError.
func FindEngine(ctx context.Context, names []string, dial func(ctx context.Context, name string) (net.Conn, error)) (string, Info, error) {
	ctx, cancel := context.WithCancel(ctx)
	var probes sync.WaitGroup
	defer probes.Wait()
	defer cancel() // of those that come after the one found
	answers := make([]chan Seen, len(names))
	for i, name := range names {
		answers[i] = make(chan Seen, 1)
		probes.Go(func() {
			info, err := Probe(ctx, func(ctx context.Context) (net.Conn, error) { return dial(ctx, name) })
			answers[i] <- Seen{name, info, err}
		})
	}
	var seen []Seen
	for _, answer := range answers {
		s := <-answer
		if s.Err == nil && s.Info.OSType == "windows" {
			return s.Name, s.Info, nil
		}
		seen = append(seen, s)
	}
	if err := context.Cause(ctx); err != nil {
		return "", Info{}, fmt.Errorf("find engine: %w", err)
	}
	return "", Info{}, &NotFoundError{seen}
}
