package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// startTime bounds the start of a program in a distro that runs, which takes half a second.
	startTime = 10 * time.Second
	// agentSpace is what an agent takes, with some room: it has a few MiB.
	agentSpace = 16 << 20
	// clockError is how far the clocks may be apart. The stamps of docker and of certificates are finer.
	clockError = 2 * time.Second
)

// inspection is what the agent's program tells of a socket; it is of a build with this one.
type inspection struct {
	User, Kind, Mode, Owner string
	MayUse                  bool
	Served                  string // yes, no, or empty: it can't tell
	Led                     dockercontext.Override
	Leads                   []string // docker contexts that lead to the socket

	Now      time.Time
	Gateway  string
	Mirrored bool
	Drives   map[string]string // a directory of Windows, and where it is mounted

	known bool
}

// socketThere is the socket as the distro finds it.
func (e *exam) socketThere() string {
	if e.Place.IsInEveryDistro() {
		return paths.ToShared(e.Place.Socket)
	}
	return e.Place.Socket
}

// checkInsideDistro makes the checks that start a program in the distro.
func (e *exam) checkInsideDistro(ctx context.Context) error {
	if !e.runs {
		return errSkip
	}
	if e.Agent == "" {
		e.tellUnknown(codes.DistroStarts, "this program was built without an agent to look with")
		return errSkip
	}
	err := e.checkProgramsStart(ctx)
	e.checkWedged(errors.Is(err, context.DeadlineExceeded))
	switch {
	case e.hangs:
		e.tellUnknown(codes.AgentFits, "not looked at, since programs do not start")
		return errSkip
	case err != nil:
		return e.checkAgentFits(ctx, err)
	}
	e.tellOK(codes.AgentFits, "the agent of this build is "+e.Agent+" and runs")
	e.checkClock()
	return nil
}

// checkProgramsStart has the agent's program look at the socket, with the eyes of the distro's user.
func (e *exam) checkProgramsStart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	e.asked[0] = time.Now()
	said, err := e.wsl.AsUser(ctx, e.distro, []string{e.Agent, "inspect", e.socketThere()})
	e.asked[1] = time.Now()
	switch {
	case errors.Is(err, wsl.ErrExec):
		e.tellOK(codes.DistroStarts, "programs start in "+e.distro)
		return err
	case err != nil:
		e.hangs = true
		_ = e.tellFailed(codes.DistroStarts, "a program of "+e.distro+" did not start: "+err.Error(), err)
		return err
	}
	if e.seen, err = readInspection(said); err != nil {
		e.hangs = true
		return e.tellFailed(codes.DistroStarts, err.Error(), err)
	}
	e.tellOK(codes.DistroStarts, "programs start in "+e.distro)
	return nil
}

// checkWedged tells whether a session that was there lives on while new ones do not come up.
func (e *exam) checkWedged(late bool) {
	s, answers := e.bridgeStatus()
	old := answers && s.RoundTrip > 0
	switch {
	case !e.hangs:
		e.tellOK(codes.WSLWedged, "new sessions start")
	case late && old:
		_ = e.tellFailed(codes.WSLWedged, fmt.Sprintf("the session of the bridge (pid %d) answers after %.1f ms, and a new one does not start", s.PID, s.RoundTrip*1000), context.DeadlineExceeded)
	default:
		e.tellUnknown(codes.WSLWedged, "no session of a bridge is there that lives")
	}
}

// lookAtRun prints what can keep an agent out of /run, as every distro can.
const lookAtRun = "cat /proc/self/mountinfo; df -Pk /run"

// checkAgentFits tells why the agent can't be started, or whether it can be put there.
func (e *exam) checkAgentFits(ctx context.Context, startErr error) error {
	if errors.Is(startErr, fs.ErrPermission) {
		return e.tellFailed(codes.AgentFits, "the agent is in "+e.distro+" and may not be run", deploy.ErrNoExec)
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	said, err := e.wsl.AsUser(ctx, e.distro, []string{"/bin/sh", "-c", lookAtRun})
	if err != nil && len(said) == 0 {
		e.tellUnknown(codes.AgentFits, "the agent of this build is not in "+e.distro+"; up puts it there")
		return errSkip
	}
	if err := checkRunSpace(string(said)); err != nil {
		return e.tellFailed(codes.AgentFits, "the agent of this build is not in "+e.distro+", and can't be put there: /run: "+err.Error(), err)
	}
	e.tellOK(codes.AgentFits, "the agent of this build is not in "+e.distro+" yet, and can be put there; up does")
	return errSkip
}

// checkRunSpace reads the mounts of a distro and the room in its /run.
func checkRunSpace(said string) error {
	options := ""
	for line := range strings.Lines(said) {
		fields := strings.Fields(line)
		if len(fields) > 5 && strings.HasPrefix(fields[5], "r") && (fields[4] == "/run" || fields[4] == "/" && options == "") {
			options = "," + fields[5] + ","
		}
		// Filesystem 1024-blocks Used Available Capacity Mounted-on
		if len(fields) == 6 && strings.HasSuffix(fields[4], "%") {
			if free, err := strconv.ParseInt(fields[3], 10, 64); err == nil && free < agentSpace>>10 {
				return fmt.Errorf("%w (%d KiB)", deploy.ErrNoSpace, free)
			}
		}
	}
	switch {
	case strings.Contains(options, ",ro,"):
		return deploy.ErrReadOnly
	case strings.Contains(options, ",noexec,"):
		return deploy.ErrNoExec
	}
	return nil
}

// checkClock compares the distro's clock with ours: what it said lies between question and answer, or is wrong.
func (e *exam) checkClock() {
	now, off := e.seen.Now, time.Duration(0)
	switch {
	case now.IsZero():
		e.tellUnknown(codes.Clock, "the distro has not told its time")
		return
	case now.Before(e.asked[0]):
		off = e.asked[0].Sub(now)
	case now.After(e.asked[1]):
		off = e.asked[1].Sub(now)
	}
	switch {
	case off > clockError:
		_ = e.tellFailed(codes.Clock, fmt.Sprintf("the clock of %s is %v behind Windows'", e.distro, off.Round(time.Second)), nil)
	case off < -clockError:
		_ = e.tellFailed(codes.Clock, fmt.Sprintf("the clock of %s is %v ahead of Windows'", e.distro, (-off).Round(time.Second)), nil)
	default:
		e.tellOK(codes.Clock, "the clock of "+e.distro+" is Windows'")
	}
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
	for _, word := range []*string{&i.User, &i.Kind, &i.Mode, &i.Owner, &i.Gateway} {
		*word = plainWord(printable.Line(*word))
	}
	i.Led.MakePrintable()
	for n := range i.Leads {
		i.Leads[n] = printable.Line(i.Leads[n])
	}
	drives := map[string]string{}
	for windows, point := range i.Drives {
		drives[printable.Line(windows)] = printable.Line(point)
	}
	i.Drives, i.known = drives, true
	return i, nil
}

// plainWord is a word with no power over a shell: it may come to stand in a command that a person is told.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-+@: ", r) {
			return r
		}
		return '?'
	}, s)
}
