package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// engine looks at the pipe that is meant, or for one. What the bridge knows is not asked again: it may
// have been told to trust a pipe that is not trusted here.
func (e *examination) engine(ctx context.Context) error {
	s, answers := e.status()
	switch {
	case e.Engine != (endpoint.Endpoint{}):
		return e.probe(ctx, e.Engine)
	case answers && s.Link.Kind == "raw":
		for _, code := range []Code{PipeThere, EngineAnswers, EngineWindows} {
			e.unknown(code, "not looked at: "+s.Link.Engine+" carries something else than Docker")
		}
		return nil
	case answers && s.Link.Reverse:
		return e.reverseEngine(s)
	case answers && s.Engine != (engine.Info{}):
		e.engineOK(s.Link.Engine, s.Engine)
		return nil
	case answers && s.Link.Engine != "":
		place, err := endpoint.Parse(s.Link.Engine, map[bool]string{true: "windows", false: "linux"}[e.Windows])
		if err != nil {
			return e.fail(PipeThere, err.Error(), err)
		}
		return e.probe(ctx, place)
	case !e.Windows:
		e.unknown(PipeThere, "not looked for: that is done on Windows only; name one: --pipe unix:/var/run/docker.sock")
		return errSkip
	}
	return e.findEngine(ctx)
}

// reverseEngine tells what the bridge says of an engine in the distro, which only its agent reaches.
func (e *examination) reverseEngine(s control.Status) error {
	where := s.Link.Engine + " in " + s.Link.Distro
	switch {
	case s.Engine != (engine.Info{}):
		e.engineOK(where, s.Engine)
		return nil
	case s.EngineError != "":
		return e.fail(PipeThere, where+": "+printable(s.EngineError), nil)
	}
	return errSkip
}

// probe asks an engine that somebody has named.
func (e *examination) probe(ctx context.Context, place endpoint.Endpoint) error {
	info, err := engine.Probe(ctx, place.Dial)
	switch {
	case errors.Is(err, engine.ErrNoAnswer), errors.Is(err, engine.ErrNotEngine):
		e.ok(PipeThere, place.String()+" is there and lets this user in")
		return e.fail(EngineAnswers, err.Error(), err)
	case err != nil:
		return e.fail(PipeThere, err.Error(), err)
	}
	e.engineOK(place.String(), info)
	return nil
}

func (e *examination) engineOK(where string, info engine.Info) {
	e.ok(PipeThere, where+" is there and lets this user in")
	e.ok(EngineAnswers, describe(info))
	if info.OSType == "windows" {
		e.ok(EngineWindows, "it runs Windows containers")
	} else {
		e.ok(EngineWindows, "it runs "+info.OSType+" containers, and is the one that was named")
	}
}

func (e *examination) findEngine(ctx context.Context) error {
	name, info, err := engine.Find(ctx, engine.Names(), func(ctx context.Context, name string) (net.Conn, error) {
		place, err := endpoint.Parse(name, "windows")
		if err != nil {
			return nil, err
		}
		return place.Dial(ctx)
	})
	if err == nil {
		e.engineOK(name, info)
		return nil
	}
	code := PipeThere
	var none *engine.NotFoundError
	if errors.As(err, &none) {
		code = farthest(none.Seen)
	}
	if code > PipeThere {
		e.ok(PipeThere, "there is one that lets this user in")
	}
	if code > EngineAnswers {
		e.ok(EngineAnswers, "one answers")
	}
	return e.fail(code, err.Error(), err)
}

// farthest is the check that the best of the candidates failed at.
func farthest(seen []engine.Seen) Code {
	code := PipeThere
	for _, s := range seen {
		switch {
		case s.Err == nil:
			code = EngineWindows
		case errors.Is(s.Err, engine.ErrNoAnswer), errors.Is(s.Err, engine.ErrNotEngine):
			code = max(code, EngineAnswers)
		}
	}
	return code
}

// bridgeRuns tells of the one for the place.
func (e *examination) bridgeRuns(context.Context) error {
	b := e.bridge
	if b == nil {
		return e.fail(BridgeRuns, fmt.Sprintf("no bridge of this user serves %s in %s", e.Place.Socket, distroOr(e.Place)), nil)
	}
	if b.Err != nil {
		return e.fail(BridgeRuns, fmt.Sprintf("the bridge with pid %d does not answer", b.PID), b.Err)
	}
	s := b.Status
	e.ok(BridgeRuns, fmt.Sprintf("pid %d serves %s in %s since %s", s.PID, s.Link.Socket, distroOr(s.Link.Place()), s.Since.Local().Format(time.DateTime)))
	if s.Works {
		e.ok(BridgeWorks, fmt.Sprintf("it carries %d connections, and its agent answers after %.1f ms", s.Streams, s.RoundTrip*1000))
		return nil
	}
	seen := "its state is " + s.State
	for _, why := range []string{s.Reason, s.EngineError} {
		if why != "" {
			seen += "; " + printable(why)
		}
	}
	return e.fail(BridgeWorks, seen, nil)
}

func distroOr(p control.Place) string {
	switch {
	case p.Everywhere():
		return "every distro"
	case p.Distro == "":
		return "the default distro"
	}
	return p.Distro
}

// socket judges what the distro's user sees at the path.
func (e *examination) socket(context.Context) error {
	s, answers := e.status()
	if !answers || !e.seen.known && !s.Link.Reverse {
		return errSkip
	}
	if s.Link.Reverse {
		for _, code := range []Code{SocketThere, SocketAccess, SocketUsable, ClientLed} {
			e.unknown(code, "not looked at: the link's clients are on Windows, at "+s.Link.Socket)
		}
		return errSkip
	}
	i, link, path := e.seen, s.Link, e.Place.Socket
	switch i.Kind {
	case "socket":
	case "none":
		_ = e.fail(SocketThere, "there is nothing at "+path+" that "+i.User+" can see", nil)
		return nil // the client can be looked at all the same
	default:
		_ = e.fail(SocketThere, "what is at "+path+" is no socket", nil)
		return nil
	}
	e.ok(SocketThere, path+" is a socket")
	access := i.Owner + " " + i.Mode
	switch {
	case link.Mode == "":
		e.unknown(SocketAccess, "it is "+access+"; the bridge has not made it yet")
	case access != link.Owner+" "+link.Mode:
		_ = e.fail(SocketAccess, "it is "+access+", and the bridge has made it "+link.Owner+" "+link.Mode, nil)
	default:
		e.ok(SocketAccess, "it is "+access+", as the bridge has made it")
	}
	if i.MayUse {
		e.ok(SocketUsable, i.User+" may use it")
	} else {
		_ = e.fail(SocketUsable, i.User+", the user of "+e.distro+", may not use it: it is "+access, &NotAllowedError{i.User, i.Owner, i.Mode})
	}
	return nil
}

// NotAllowedError says that the distro's user may not use the socket.
type NotAllowedError struct{ User, Owner, Mode string }

func (e *NotAllowedError) Error() string {
	return e.User + " may not use a socket of " + e.Owner + " " + e.Mode
}

// Group is the one to join, or "" if none is let in.
func (e *NotAllowedError) Group() string {
	_, group, _ := strings.Cut(e.Owner, ":")
	if len(e.Mode) != 4 || (e.Mode[2]-'0')&2 == 0 {
		return ""
	}
	return group
}

// client tells where the docker command of the distro's user goes. A context for the socket is all it
// takes: what leads the command elsewhere when no context is named is then the user's affair,
// unless he has chosen that context.
func (e *examination) client(context.Context) error {
	i, ours := e.seen, "unix://"+e.Place.Socket
	if e.bridge.Status.Link.Kind == "raw" {
		e.unknown(ClientLed, "not looked at: what is carried is not Docker")
		return nil
	}
	chosen := i.Led.Current != "" && slices.Contains(i.Leads, i.Led.Current)
	astray := i.Led.Astray(i.Led.Current, ours)
	elsewhere := i.elsewhere(ours)
	switch {
	case i.Led.DockerHost == ours:
		e.ok(ClientLed, "DOCKER_HOST is this socket")
	case chosen && astray != "":
		return e.fail(ClientLed, i.User+" has chosen the docker context "+i.Led.Current+", which has no effect: "+astray, nil)
	case chosen:
		e.ok(ClientLed, "docker of "+i.User+" uses the context "+i.Led.Current+", which is this socket")
	case len(i.Leads) > 0 && elsewhere != "":
		e.ok(ClientLed, "docker --context "+i.Leads[0]+" goes here; without it "+elsewhere)
	case len(i.Leads) > 0:
		e.ok(ClientLed, "docker --context "+i.Leads[0]+" goes here, for "+i.User)
	case elsewhere != "":
		return e.fail(ClientLed, elsewhere, nil)
	default:
		e.ok(ClientLed, "neither DOCKER_HOST nor a context is set where programs of "+i.User+" start; name the socket: docker -H "+ours)
	}
	return nil
}

// elsewhere says what leads docker away from the socket when no context is named, "" if nothing does.
func (i inspection) elsewhere(ours string) string {
	name := cmp.Or(i.Led.DockerContext, i.Led.Current)
	switch {
	case i.Led.DockerHost == ours:
		return ""
	case i.Led.DockerHost != "":
		return "DOCKER_HOST of " + i.User + " is " + i.Led.DockerHost
	case name != "" && name != "default" && !slices.Contains(i.Leads, name):
		return "docker of " + i.User + " uses the context " + name
	}
	return ""
}
