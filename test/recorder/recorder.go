// Package recorder is an engine that says it is Windows and remembers what it
// was asked. A dockerd on Linux can't be one, so defaults that depend on the
// engine's OS type are tried against this.
//
// It proves what the product sends and how it chooses; it proves nothing about
// what a Windows daemon would do with it. It runs no container.
package recorder

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBody is how much of a request's body is remembered.
const maxBody = 1 << 20

// Request is one that was asked.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// Recorder is a running engine of this kind.
type Recorder struct {
	Addr string // HOST:PORT on loopback

	server http.Server
	served chan error

	mu       sync.Mutex
	requests []Request
}

// Start starts one. Close ends it.
func Start() (*Recorder, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start recorder: %w", err)
	}
	r := &Recorder{Addr: l.Addr().String(), served: make(chan error, 1)}
	r.server.Handler = r
	go func() { r.served <- r.server.Serve(l) }()
	return r, nil
}

// Close ends it, connections included.
func (r *Recorder) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		_ = r.server.Close() // who still asks is cut off
	}
	if err := <-r.served; err != http.ErrServerClosed {
		return err
	}
	return nil
}

// Requests are all that were asked until now, in their order.
func (r *Recorder) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Mounts are the bind mounts of all containers and services that were asked for, as a client names them with
// -v, and the sources of those of --mount.
func (r *Recorder) Mounts() (all []string, _ error) {
	for _, q := range r.Requests() {
		if q.Method != http.MethodPost || !strings.Contains(q.Path, "/containers/create") && !strings.Contains(q.Path, "/services/create") {
			continue
		}
		type mount struct{ Source string }
		var body struct {
			HostConfig struct {
				Binds  []string
				Mounts []mount
			}
			TaskTemplate struct{ ContainerSpec struct{ Mounts []mount } }
		}
		if err := json.Unmarshal(q.Body, &body); err != nil {
			return nil, fmt.Errorf("read what was asked for: %w", err)
		}
		all = append(all, body.HostConfig.Binds...)
		for _, m := range append(body.HostConfig.Mounts, body.TaskTemplate.ContainerSpec.Mounts...) {
			all = append(all, m.Source)
		}
	}
	return all, nil
}

// ServeHTTP answers as far as a client's first steps need it.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err != nil {
		return // the client is gone
	}
	r.mu.Lock()
	r.requests = append(r.requests, Request{req.Method, req.URL.RequestURI(), req.Header.Clone(), body})
	r.mu.Unlock()
	h := w.Header()
	h.Set("Api-Version", "1.41")
	h.Set("Ostype", "windows")
	h.Set("Server", "Docker/20.10.24 (windows)")
	switch path := unversioned(req.URL.Path); {
	case path == "/_ping":
		_, _ = io.WriteString(w, "OK")
	case path == "/version":
		answer(w, http.StatusOK, map[string]any{"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "windows", "Arch": "amd64"})
	case path == "/info":
		answer(w, http.StatusOK, map[string]any{"OSType": "windows", "OperatingSystem": "Windows Server 2022", "ServerVersion": "20.10.24"})
	case path == "/containers/json":
		answer(w, http.StatusOK, []any{})
	case image.MatchString(path): // it has every image
		answer(w, http.StatusOK, map[string]any{"Id": "sha256:" + strings.Repeat("5eed", 16), "Os": "windows", "Config": map[string]any{}, "ContainerConfig": map[string]any{}})
	case path == "/services/create" && req.Method == http.MethodPost:
		answer(w, http.StatusCreated, map[string]any{"ID": strings.Repeat("5eed", 6)})
	case path == "/containers/create" && req.Method == http.MethodPost:
		answer(w, http.StatusCreated, map[string]any{"Id": strings.Repeat("5eed", 16), "Warnings": []string{}})
	default:
		answer(w, http.StatusNotFound, map[string]any{"message": "this engine records requests and runs nothing"})
	}
}

// version is the /v1.41 that clients put before a path.
var version = regexp.MustCompile(`^/v[0-9.]+(/.*)$`)

var image = regexp.MustCompile(`^/images/.+/json$`)

func unversioned(path string) string { return version.ReplaceAllString(path, "$1") }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // fails only if the client is gone
}
