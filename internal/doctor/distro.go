package doctor

import (
	"context"
	"errors"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

func (e *exam) checkWSLThere(context.Context) (err error) {
	if e.wsl, err = distro.FindWSL(); err != nil {
		return e.tellFailed(codes.WSLThere, err.Error(), err)
	}
	e.tellOK(codes.WSLThere, "wsl.exe is "+e.wsl.Path())
	return nil
}

func (e *exam) checkWSLAnswers(ctx context.Context) error {
	version, err := e.wsl.WSLVersion(ctx)
	e.wslErr = err
	switch {
	case errors.Is(err, wsl.ErrNotInstalled), errors.Is(err, wsl.ErrMustUpdate), errors.Is(err, wsl.ErrBroken),
		errors.Is(err, context.DeadlineExceeded):
		return e.tellFailed(codes.WSLAnswers, err.Error(), err)
	case version == "":
		e.tellOK(codes.WSLAnswers, "WSL does not tell its version: it is an old one, or the one that Windows brings along")
	default:
		e.tellOK(codes.WSLAnswers, "WSL has the version "+version)
	}
	return nil
}

func (e *exam) checkDistroThere(ctx context.Context) error {
	asked, which := e.Place.Distro, "the distro is "
	if e.Place.IsInEveryDistro() {
		s, _ := e.bridgeStatus()
		asked, which = s.Link.Host, "the distro that serves all is "
	}
	if asked == "" {
		which = "the default distro is "
	}
	name, err := e.wsl.ChooseDistro(ctx, asked)
	if e.distro = name; name != "" && !e.Place.IsInEveryDistro() {
		e.Place.Distro = name
	}
	old := errors.Is(err, wsl.ErrVersion1)
	if err != nil && !old {
		return e.tellFailed(codes.DistroThere, err.Error(), err)
	}
	e.tellOK(codes.DistroThere, which+name)
	if old {
		return e.tellFailed(codes.DistroIsWSL2, err.Error(), err)
	}
	e.tellOK(codes.DistroIsWSL2, name+" is of WSL 2")
	return nil
}

func (e *exam) checkDistroRuns(ctx context.Context) (err error) {
	if e.runs, err = e.wsl.IsDistroRunning(ctx, e.distro); err != nil {
		return e.tellFailed(codes.DistroRuns, err.Error(), err)
	}
	if !e.runs {
		e.tellOK(codes.DistroRuns, e.distro+" is stopped; to look into it would start it")
		return nil
	}
	e.tellOK(codes.DistroRuns, e.distro+" runs")
	return nil
}
