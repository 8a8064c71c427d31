//go:build linux

package stage

import (
	"context"
	"errors"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// Engine is a dockerd behind a named pipe, which may die and come back.
type Engine struct {
	Docker *lab.Docker
	Pipe   string

	wine  *lab.Wine  // nil where the product finds it at its unix socket
	front *lab.Front // nil while it is down
}

// StartEngine starts one with its files in dir, which the product finds at Pipe. Close it before the stage.
func (s *Stage) StartEngine(ctx context.Context, dir, pipe string) (*Engine, error) {
	docker, err := lab.StartDocker(ctx, dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{Docker: docker, Pipe: pipe}
	if !s.OnLinux {
		e.wine = s.Wine
	}
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) (err error) {
	if e.wine == nil {
		e.Pipe = "unix:" + e.Docker.Socket
		return nil
	}
	e.front, err = e.wine.StartFront(ctx, map[string]string{e.Pipe: e.Docker.TCP})
	return err
}

// Kill ends it with kill -9, and its pipe with it, as dockerd.exe's ends.
func (e *Engine) Kill() error {
	err := e.Docker.Kill()
	if e.front != nil {
		_ = e.front.Close() // its connections may have ended badly
	}
	e.front = nil
	return err
}

// Start brings it back after Kill, at the same pipe.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.Docker.Start(ctx); err != nil {
		return err
	}
	return e.open(ctx)
}

// Close ends it and removes its files.
func (e *Engine) Close() error {
	var err error
	if e.front != nil {
		err = e.front.Close()
	}
	return errors.Join(err, e.Docker.Close())
}
