// Package links says what one link is. A link is parsed once, from a file's keys or from flags, and nobody
// checks its values again.
//
// It opens nothing and asks nobody: a link that is right may still lead to what is not there.
//
// Law: nobody changes a Link. In gives another one.
package links

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// DefaultSocket is where clients look first.
	DefaultSocket = "/run/docker-wsl-bridge/windows.sock"
	// DefaultContext is the docker context of the default socket.
	DefaultContext = "windows"
	// NoContext is the flag's word for none.
	NoContext = "none"

	// FlagsName is the name of the link that flags make.
	FlagsName = "windows"
)

// Link is one link. All of its values were checked.
type Link struct {
	Name   string
	Distro string // empty: the default one; config.All
	Shared bool   // the socket is one that all distros see
	Host   string // of a shared one: who serves it first; empty: the default one
	Uids   []int  // of a shared one: who may connect
	Socket string // where clients connect: a path in the distro, or the address of Pipe

	Mode, Owner string // of the socket; empty: as the distro has it
	Kind        string // config.Docker or config.Raw
	KeepAlive   string // config.Always or config.WhileRunning
	Paths       string // config.Auto or config.Off
	Context     string // of docker; empty: none
	TrustOwner  bool   // the pipe is taken whoever owns it

	Engine endpoint.Endpoint // what clients reach on Windows; the zero value: the engine that is found
	To     string            // the same as it was written

	Pipe    endpoint.Endpoint // of a reverse link: where its clients connect; the zero value: it is none
	Allowed []string          // of a reverse link: who may, besides the user
	Target  string            // of a reverse link: the socket that they reach in the distro
}

// IsReverse tells a link whose clients are on Windows.
func (l *Link) IsReverse() bool { return l.Pipe != endpoint.Endpoint{} }

// InDistro is the same link in the distro of this name.
func (l Link) InDistro(distro string) Link {
	l.Distro = distro
	return l
}

// Equal tells whether two links are the same.
func (l *Link) Equal(m *Link) bool { return reflect.DeepEqual(l, m) }

// MayStop tells whether the distro may stop when nobody else uses it.
func (l *Link) MayStop() bool { return l.KeepAlive == config.WhileRunning }

// AgentSocket is the socket as the agent is told it; empty for a pipe on Windows.
func (l *Link) AgentSocket() string {
	switch {
	case l.IsReverse():
		return ""
	case l.Shared:
		return paths.ToShared(l.Socket)
	}
	return l.Socket
}

// LeadsTo is what a reverse link leads to, for people.
func (l *Link) LeadsTo() string { return "unix:" + l.Target }

// DialerFor gives how a place is dialled for the link.
func (l *Link) DialerFor(place endpoint.Endpoint) func(context.Context) (net.Conn, error) {
	if l.TrustOwner {
		return place.DialAnyOwner
	}
	return place.Dial
}

// FindNamed finds the link of a name, or nil.
func FindNamed(list []Link, name string) *Link {
	if i := slices.IndexFunc(list, func(l Link) bool { return l.Name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

// checkDistro wants a name that a distro can have, or none.
func checkDistro(name string) error {
	if name == "" {
		return nil
	}
	_, err := (wsl.Launch{Distro: name, Argv: []string{"true"}}).ArgList()
	return err
}

// nameContext finds the docker context's name: two bridges of a distro must not fight over one, so that
// only the default socket has one without being asked.
func (l *Link) nameContext(asked, none string) error {
	l.Context = asked
	switch {
	case asked == none:
		l.Context = ""
	case l.Kind == config.Raw && asked != "":
		return errors.New("a docker context leads to Docker, and raw carries something else")
	case asked == "" && l.Kind == config.Docker && l.Socket == DefaultSocket:
		l.Context = DefaultContext
	}
	if l.Context == "" {
		return nil
	}
	return dockercontext.CheckName(l.Context)
}

// Flags say what up, run and install serve, as they were written.
type Flags struct {
	Distro, Socket, Pipe string
	Mode, Owner          string
	Kind, KeepAlive      string
	Paths                string
	Context              string
	TrustOwner           bool
}

// ParseLink is what the flags say.
func (f *Flags) ParseLink(goos string) (Link, error) {
	l := Link{
		Name: FlagsName, Distro: f.Distro, Mode: f.Mode, Owner: f.Owner,
		Kind: f.Kind, KeepAlive: f.KeepAlive, Paths: f.Paths, TrustOwner: f.TrustOwner, To: f.Pipe,
	}
	place, err := endpoint.Parse("unix:"+f.Socket, "linux")
	if err != nil {
		return l, fmt.Errorf("--socket: %w", err)
	}
	l.Socket = place.Path()
	if err := checkDistro(l.Distro); err != nil {
		return l, fmt.Errorf("--distro: %w", err)
	}
	if l.Kind != config.Docker && l.Kind != config.Raw {
		return l, fmt.Errorf("--kind: there is no kind %q; write docker or raw", l.Kind)
	}
	if l.KeepAlive != config.Always && l.KeepAlive != config.WhileRunning {
		return l, fmt.Errorf("--keep-alive: there is no such way, %q; write always or while-running", l.KeepAlive)
	}
	if l.Paths != config.Auto && l.Paths != config.Off {
		return l, fmt.Errorf("--paths: there is no such way, %q; write auto or off", l.Paths)
	}
	if err := l.nameContext(f.Context, NoContext); err != nil {
		return l, fmt.Errorf("--context: %w", err)
	}
	return l, l.leadToPipe(f.Pipe, goos)
}

// leadToPipe notes the engine of --pipe.
func (l *Link) leadToPipe(pipe, goos string) (err error) {
	switch {
	case pipe == "" && l.TrustOwner:
		return errors.New("--trust-pipe-owner: the pipe must be named; write --pipe NAME")
	case pipe == "" && l.Kind == config.Raw:
		return errors.New("--kind: raw needs to be told what to carry; write --pipe NAME")
	case pipe == "" && goos != "windows":
		return errors.New("--pipe: engines are looked for on Windows only; write --pipe unix:/var/run/docker.sock")
	case pipe == "":
		return nil
	}
	if l.Engine, err = endpoint.Parse(pipe, goos); err != nil {
		return fmt.Errorf("--pipe: %w", err)
	}
	return nil
}
