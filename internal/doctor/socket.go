package doctor

import (
	"context"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
)

// checkSocket judges what the distro's user sees at the path.
func (e *exam) checkSocket(context.Context) error {
	s, answers := e.bridgeStatus()
	if !e.seen.known || answers && s.Link.Reverse {
		return errSkip
	}
	i, link, path := e.seen, s.Link, e.Place.Socket
	switch i.Kind {
	case "socket":
	case "none":
		if !answers {
			e.tellUnknown(codes.SocketThere, "there is nothing at "+path+", since no bridge serves it")
			return nil
		}
		_ = e.tellFailed(codes.SocketThere, "there is nothing at "+path+" that "+i.User+" can see", nil)
		return nil // the client can be looked at all the same
	default:
		_ = e.tellFailed(codes.SocketThere, "what is at "+path+" is no socket", nil)
		return nil
	}
	e.tellOK(codes.SocketThere, path+" is a socket")
	access := i.Owner + " " + i.Mode
	switch {
	case !answers:
		e.tellUnknown(codes.SocketAccess, "it is "+access+"; no bridge has told how it made it")
	case link.Mode == "":
		e.tellUnknown(codes.SocketAccess, "it is "+access+"; the bridge has not made it yet")
	case access != link.Owner+" "+link.Mode:
		_ = e.tellFailed(codes.SocketAccess, "it is "+access+", and the bridge has made it "+link.Owner+" "+link.Mode, nil)
	default:
		e.tellOK(codes.SocketAccess, "it is "+access+", as the bridge has made it")
	}
	if i.MayUse {
		e.tellOK(codes.SocketUsable, i.User+" may use it")
	} else {
		_ = e.tellFailed(codes.SocketUsable, i.User+", the user of "+e.distro+", may not use it: it is "+access, &NotAllowedError{i.User, i.Owner, i.Mode})
	}
	switch i.Served {
	case "yes":
		e.tellOK(codes.SocketServed, "somebody listens there")
	case "no":
		_ = e.tellFailed(codes.SocketServed, "nobody listens there: it was left over", nil)
	default:
		e.tellUnknown(codes.SocketServed, "the distro does not tell who listens")
	}
	return nil
}

// NotAllowedError says that the distro's user may not use the socket.
type NotAllowedError struct{ User, Owner, Mode string }

func (e *NotAllowedError) Error() string {
	return e.User + " may not use a socket of " + e.Owner + " " + e.Mode
}

// GroupToJoin is the one to join, or "" if none is let in.
func (e *NotAllowedError) GroupToJoin() string {
	_, group, _ := strings.Cut(e.Owner, ":")
	if len(e.Mode) != 4 || (e.Mode[2]-'0')&2 == 0 {
		return ""
	}
	return group
}
