package doctor

import (
	"context"
	"errors"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

func (e *examination) wslThere(context.Context) (err error) {
	if e.wsl, err = distro.FindWSL(); err != nil {
		return e.fail(codes.WSLThere, err.Error(), err)
	}
	e.ok(codes.WSLThere, "wsl.exe is "+e.wsl.Path())
	return nil
}

func (e *examination) wslAnswers(ctx context.Context) error {
	version, err := e.wsl.Version(ctx)
	e.wslErr = err
	switch {
	case errors.Is(err, wsl.ErrNotInstalled), errors.Is(err, wsl.ErrMustUpdate), errors.Is(err, wsl.ErrBroken),
		errors.Is(err, context.DeadlineExceeded):
		return e.fail(codes.WSLAnswers, err.Error(), err)
	case version == "":
		e.ok(codes.WSLAnswers, "WSL does not tell its version: it is an old one, or the one that Windows brings along")
	default:
		e.ok(codes.WSLAnswers, "WSL has the version "+version)
	}
	return nil
}

func (e *examination) distroThere(ctx context.Context) error {
	asked, which := e.Place.Distro, "the distro is "
	if e.Place.Everywhere() {
		s, _ := e.status()
		asked, which = s.Link.Host, "the distro that serves all is "
	}
	if asked == "" {
		which = "the default distro is "
	}
	name, err := e.wsl.Choose(ctx, asked)
	if e.distro = name; name != "" && !e.Place.Everywhere() {
		e.Place.Distro = name
	}
	old := errors.Is(err, wsl.ErrVersion1)
	if err != nil && !old {
		return e.fail(codes.DistroThere, err.Error(), err)
	}
	e.ok(codes.DistroThere, which+name)
	if old {
		return e.fail(codes.DistroIsWSL2, err.Error(), err)
	}
	e.ok(codes.DistroIsWSL2, name+" is of WSL 2")
	return nil
}

func (e *examination) distroRuns(ctx context.Context) (err error) {
	if e.runs, err = e.wsl.Runs(ctx, e.distro); err != nil {
		return e.fail(codes.DistroRuns, err.Error(), err)
	}
	if !e.runs {
		e.ok(codes.DistroRuns, e.distro+" is stopped; to look into it would start it")
		return nil
	}
	e.ok(codes.DistroRuns, e.distro+" runs")
	return nil
}
