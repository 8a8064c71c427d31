package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"time"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// startTime bounds the start of a program in a distro that runs, which takes half a second.
const startTime = 10 * time.Second

func (e *examination) wslThere(context.Context) (err error) {
	if e.wsl, err = daemon.FindWSL(); err != nil {
		return e.fail(WSLThere, err.Error(), err)
	}
	e.ok(WSLThere, "wsl.exe is "+e.wsl.Path())
	return nil
}

func (e *examination) wslAnswers(ctx context.Context) error {
	version, err := e.wsl.Version(ctx)
	switch {
	case errors.Is(err, wsl.ErrNotInstalled), errors.Is(err, context.DeadlineExceeded):
		return e.fail(WSLAnswers, err.Error(), err)
	case version == "":
		e.ok(WSLAnswers, "WSL does not tell its version: it is an old one, or the one that Windows brings along")
	default:
		e.ok(WSLAnswers, "WSL has the version "+version)
	}
	return nil
}

func (e *examination) distroThere(ctx context.Context) error {
	asked, which := e.Place.Distro, "the distro is "
	if e.Place.Everywhere() {
		e.pick()
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
		return e.fail(DistroThere, err.Error(), err)
	}
	e.ok(DistroThere, which+name)
	if old {
		return e.fail(DistroIsWSL2, err.Error(), err)
	}
	e.ok(DistroIsWSL2, name+" is of WSL 2")
	return nil
}

func (e *examination) distroRuns(ctx context.Context) (err error) {
	if e.runs, err = e.wsl.Runs(ctx, e.distro); err != nil {
		return e.fail(DistroRuns, err.Error(), err)
	}
	if !e.runs {
		e.ok(DistroRuns, e.distro+" is stopped; to look into it would start it")
		e.unknown(DistroStarts, "not looked at, since the distro is stopped")
		return errSkip
	}
	e.ok(DistroRuns, e.distro+" runs")
	return nil
}

// inspection is what the agent's program tells of a socket; it is of a build with this one.
type inspection struct {
	User, Kind, Mode, Owner string
	MayUse                  bool
	Led                     dockercontext.Led
	Leads                   []string // docker contexts that lead to the socket

	known bool
}

// socketThere is the socket as the distro finds it.
func (e *examination) socketThere() string {
	if e.Place.Everywhere() {
		return paths.ToShared(e.Place.Socket)
	}
	return e.Place.Socket
}

// distroStarts has the agent's program look at the socket, with the eyes of the distro's user.
func (e *examination) distroStarts(ctx context.Context) error {
	if e.Agent == "" {
		e.unknown(DistroStarts, "this program was built without an agent to look with")
		return errSkip
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	said, err := e.wsl.AsUser(ctx, e.distro, []string{e.Agent, "inspect", e.socketThere()})
	switch {
	case errors.Is(err, wsl.ErrExec) && errors.Is(err, fs.ErrNotExist):
		e.unknown(DistroStarts, "the agent of this build is not in "+e.distro+", to look around there; up puts it there")
		return errSkip
	case err != nil:
		return e.fail(DistroStarts, "a program of "+e.distro+" did not start: "+err.Error(), err)
	}
	if e.seen, err = readInspection(said); err != nil {
		return e.fail(DistroStarts, err.Error(), err)
	}
	e.ok(DistroStarts, "programs start in "+e.distro)
	return nil
}

var errOtherWords = errors.New("the agent's program said something else than what it should")

// readInspection takes words of a distro: what is no plain word is not passed on.
func readInspection(said []byte) (inspection, error) {
	var i inspection
	d := json.NewDecoder(bytes.NewReader(said))
	d.DisallowUnknownFields()
	if err := d.Decode(&i); err != nil {
		return inspection{}, errOtherWords
	}
	for _, word := range []*string{&i.User, &i.Kind, &i.Mode, &i.Owner} {
		*word = printable(*word)
	}
	i.Led.Clean()
	for n := range i.Leads {
		i.Leads[n] = printable(i.Leads[n])
	}
	i.known = true
	return i, nil
}

func printable(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
