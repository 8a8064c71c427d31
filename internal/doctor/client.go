package doctor

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
)

// ErrNoContext says that no docker context leads to the socket, where one is needed.
var ErrNoContext = errors.New("there is no docker context for the socket")

// checkClient tells of the docker command of the distro's user.
func (e *exam) checkClient(context.Context) error {
	s, answers := e.bridgeStatus()
	if !e.seen.known {
		return errSkip
	}
	if answers && s.Link.Kind == "raw" {
		for _, code := range []codes.Code{codes.ClientLed, codes.ClientPorts, codes.ClientPaths} {
			e.tellUnknown(code, "not looked at: what is carried is not Docker")
		}
		return nil
	}
	if answers {
		_ = e.checkDockerTarget()
	} else {
		e.tellUnknown(codes.ClientLed, "not looked at: no bridge serves the socket")
	}
	e.tellSurprises()
	return nil
}

// checkDockerTarget tells where the docker command goes. A context for the socket is all it takes: what leads the
// command elsewhere when no context is named is then the user's affair, unless he has chosen that
// context.
func (e *exam) checkDockerTarget() error {
	i, ours := e.seen, "unix://"+e.Place.Socket
	s, _ := e.bridgeStatus()
	link := s.Link
	chosen := i.Led.Current != "" && slices.Contains(i.Leads, i.Led.Current)
	astray := i.Led.WhyAstray(i.Led.Current, ours)
	elsewhere := i.leadsElsewhere(ours)
	switch {
	case i.Led.DockerHost == ours:
		e.tellOK(codes.ClientLed, "DOCKER_HOST is this socket")
	case chosen && astray != "":
		return e.tellFailed(codes.ClientLed, i.User+" has chosen the docker context "+i.Led.Current+", which has no effect: "+astray, nil)
	case chosen:
		e.tellOK(codes.ClientLed, "docker of "+i.User+" uses the context "+i.Led.Current+", which is this socket")
	case len(i.Leads) > 0 && elsewhere != "":
		e.tellOK(codes.ClientLed, "docker --context "+codes.ShWord(i.Leads[0])+" goes here; without it "+elsewhere)
	case len(i.Leads) > 0:
		e.tellOK(codes.ClientLed, "docker --context "+codes.ShWord(i.Leads[0])+" goes here, for "+i.User)
	case elsewhere != "":
		return e.tellFailed(codes.ClientLed, elsewhere, ErrNoContext)
	case link.Context != "":
		return e.tellFailed(codes.ClientLed, "the docker context "+link.Context+", which the bridge makes, is not there for "+i.User, ErrNoContext)
	default:
		e.tellOK(codes.ClientLed, "neither DOCKER_HOST nor a context is set where programs of "+i.User+" start; name the socket: docker -H "+codes.ShWord(ours))
	}
	return nil
}

// leadsElsewhere says what leads docker away from the socket when no context is named, "" if nothing does.
func (i inspection) leadsElsewhere(ours string) string {
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

// tellSurprises tells what is not wrong, and unlike what an engine in the distro does.
func (e *exam) tellSurprises() {
	switch {
	case e.engined.OSType == "":
		e.tellUnknown(codes.ClientPorts, "not looked at, since no engine answers")
		e.tellUnknown(codes.ClientPaths, "not looked at, since no engine answers")
		return
	case e.engined.OSType != "windows":
		e.tellOK(codes.ClientPorts, "a published port is the engine's, which runs "+e.engined.OSType+" containers")
		e.tellOK(codes.ClientPaths, "paths are the engine's, which runs "+e.engined.OSType+" containers")
		return
	}
	where := "localhost of " + e.distro + ", too: it has the network of Windows (mirrored)"
	switch {
	case e.seen.Mirrored:
	case e.seen.Gateway == "":
		where = "an address of Windows, not localhost of " + e.distro
	default:
		where = e.seen.Gateway + ", which is Windows, not localhost of " + e.distro
	}
	e.tellOK(codes.ClientPorts, "a port that a Windows container publishes is found at "+where)
	drives := make([]string, 0, len(e.seen.Drives))
	for _, windows := range slices.Sorted(maps.Keys(e.seen.Drives)) {
		drives = append(drives, windows+" as "+e.seen.Drives[windows])
	}
	if len(drives) == 0 {
		e.tellOK(codes.ClientPaths, "no drive of Windows is mounted in "+e.distro+": name directories of Windows, with slashes: -v C:/src:C:/src")
		return
	}
	e.tellOK(codes.ClientPaths, "directories of Windows are "+strings.Join(drives, ", ")+`; from there: -v "$PWD:C:/src", with quotes and slashes`)
}
