package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// checkEngine looks at the pipe that is meant, or for one. What the bridge knows is not asked again: it may
// have been told to trust a pipe that is not trusted here.
func (e *exam) checkEngine(ctx context.Context) error {
	s, answers := e.bridgeStatus()
	switch {
	case e.Engine != (endpoint.Endpoint{}):
		return e.probeNamed(ctx, e.Engine)
	case answers && s.Link.Kind == "raw":
		for _, code := range []codes.Code{codes.PipeThere, codes.PipeOpen, codes.EngineAnswers, codes.EngineWindows} {
			e.tellUnknown(code, "not looked at: "+s.Link.Engine+" carries something else than Docker")
		}
		return nil
	case answers && s.Link.IsCommand():
		e.tellUnknown(codes.PipeThere, "not looked at: a command is not started for a question")
		return errSkip
	case answers && s.Link.Reverse:
		return e.reverseEngine(s)
	case answers && s.Engine != (engine.Info{}):
		e.tellEngineOK(s.Link.Engine, s.Engine)
		return nil
	case answers && s.Link.Engine != "":
		place, err := endpoint.Parse(s.Link.Engine, map[bool]string{true: "windows", false: "linux"}[e.Windows])
		if err != nil {
			return e.tellFailed(codes.PipeThere, err.Error(), err)
		}
		return e.probeNamed(ctx, place)
	case !e.Windows:
		e.tellUnknown(codes.PipeThere, "not looked for: that is done on Windows only; name one: --pipe unix:/var/run/docker.sock")
		return errSkip
	}
	return e.findEngine(ctx)
}

// reverseEngine tells what the bridge says of an engine in the distro, which only its agent reaches.
func (e *exam) reverseEngine(s control.Status) error {
	where := s.Link.Engine + " in " + s.Link.Distro
	switch {
	case s.Engine != (engine.Info{}):
		e.tellEngineOK(where, s.Engine)
		return nil
	case s.EngineError != "":
		return e.tellFailed(codes.PipeThere, where+": "+printable.Line(s.EngineError), nil)
	}
	return errSkip
}

// probeNamed asks an engine that somebody has named.
func (e *exam) probeNamed(ctx context.Context, place endpoint.Endpoint) error {
	info, err := engine.Probe(ctx, place.Dial)
	switch {
	case errors.Is(err, engine.ErrNoAnswer), errors.Is(err, engine.ErrNotEngine):
		e.tellOK(codes.PipeThere, place.String()+" is there")
		e.tellOK(codes.PipeOpen, "it lets this user in")
		return e.tellFailed(codes.EngineAnswers, err.Error(), err)
	case isBarred(err):
		e.tellOK(codes.PipeThere, place.String()+" is there")
		return e.tellWhyPipeBars(err)
	case err != nil:
		return e.tellFailed(codes.PipeThere, err.Error(), err)
	}
	e.tellEngineOK(place.String(), info)
	return nil
}

func (e *exam) tellEngineOK(where string, info engine.Info) {
	e.engined = info
	e.tellOK(codes.PipeThere, where+" is there")
	e.tellOK(codes.PipeOpen, "it lets this user in")
	e.tellOK(codes.EngineAnswers, describeEngine(info))
	if info.OSType == "windows" {
		e.tellOK(codes.EngineWindows, "it runs Windows containers")
	} else {
		e.tellOK(codes.EngineWindows, "it runs "+info.OSType+" containers, and is the one that was named")
	}
}

func (e *exam) findEngine(ctx context.Context) error {
	name, info, err := engine.FindEngine(ctx, engine.PipeNames(), func(ctx context.Context, name string) (net.Conn, error) {
		place, err := endpoint.Parse(name, "windows")
		if err != nil {
			return nil, err
		}
		return place.Dial(ctx)
	})
	if err == nil {
		e.tellEngineOK(name, info)
		return nil
	}
	passed := 0
	var none *engine.NotFoundError
	if errors.As(err, &none) {
		passed = mostPassed(none.Seen)
	}
	for _, step := range engineSteps[:passed] {
		e.tellOK(step.code, step.passed)
	}
	failed := engineSteps[passed].code
	if failed == codes.PipeOpen {
		return e.tellWhyPipeBars(err)
	}
	return e.tellFailed(failed, err.Error(), err)
}

// engineSteps are what a candidate must pass.
var engineSteps = [...]struct {
	code   codes.Code
	passed string
}{
	{codes.PipeThere, "there is one"},
	{codes.PipeOpen, "there is one that lets this user in"},
	{codes.EngineAnswers, "one answers"},
	{codes.EngineWindows, ""}, // who passes that, too, is taken
}

// mostPassed counts the steps that the best of the candidates has passed.
func mostPassed(seen []engine.Seen) (most int) {
	for _, s := range seen {
		switch {
		case s.Err == nil:
			most = 3
		case isBarred(s.Err):
			most = max(most, 1)
		case errors.Is(s.Err, engine.ErrNoAnswer), errors.Is(s.Err, engine.ErrNotEngine):
			most = max(most, 2)
		}
	}
	return most
}

// isBarred tells whether a pipe is there that this user may not open, or should not.
func isBarred(err error) bool {
	var owned *endpoint.OwnerError
	return errors.Is(err, fs.ErrPermission) || errors.As(err, &owned)
}

// Membership is why an engine does not let this user in: what its configuration says, and whether that
// is true of this user. Group is empty if it names none.
type Membership struct {
	File, Group   string
	Known, Member bool
}

// GroupError says that the engine's pipe is not for this user.
type GroupError struct {
	error
	Membership
}

func (e *GroupError) Unwrap() error { return e.error }

// findGroup asks for each of the names that dockerd lets in, and takes one that this user is in, else one that there is.
func (m *Membership) findGroup(groups string, member func(string) (bool, error)) {
	for group := range strings.SplitSeq(groups, ",") {
		is, err := member(group)
		known := !errors.Is(err, engine.ErrNoGroup)
		if m.Group == "" || is || known && !m.Known {
			m.Group, m.Known, m.Member = group, known, is
		}
		if is {
			return
		}
	}
}

// tellWhyPipeBars looks for the reason in the engine's configuration.
func (e *exam) tellWhyPipeBars(err error) error {
	var owned *endpoint.OwnerError
	if errors.As(err, &owned) || e.ProgramData == "" {
		return e.tellFailed(codes.PipeOpen, err.Error(), err)
	}
	m := Membership{File: engine.ConfigFile(e.ProgramData)}
	group, readErr := engine.ConfiguredGroup(m.File)
	var words string
	switch {
	case readErr != nil:
		words = readErr.Error()
	case group == "":
		words = m.File + ` has no entry "group", so that only administrators are let in`
	default:
		m.findGroup(group, e.Member)
		words = fmt.Sprintf("%s names the group %s, ", m.File, m.Group)
		switch {
		case !m.Known:
			words += "which Windows does not know"
		case m.Member:
			words += "which this session is in: the engine may have been started before that was written"
		default:
			words += "which this session is not in"
		}
	}
	return e.tellFailed(codes.PipeOpen, err.Error()+"; "+words, &GroupError{err, m})
}
