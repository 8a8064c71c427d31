package bridge

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
)

// PathsAuto has the agent translate paths in what clients of a docker link ask
// to be created, if its engine is one for Windows containers.
const PathsAuto = "auto"

// WhyLinuxPath is why a client gets no container: a path of its own has no name on Windows.
const WhyLinuxPath = "linux-path"

// refuseTime is what an engine gets to end a connection of which one direction has ended, once it
// says nothing more. One behind a pipe in byte mode does not hear of the end.
const refuseTime = time.Second

// probeTime is what an engine gets to tell what it is.
const probeTime = 3 * time.Second

// notTranslated is what is warned of when a request passes as it is.
const notTranslated = "paths are not translated"

var errTooLong = errors.New("the request is too long to be held")

// errRefused ends the requests of a client that is told why.
var errRefused = errors.New("the request was refused")

// translate is the way of a client's requests to its engine.
func (a *agent) translate(j *joint, c *client, l Listen) *dockerapi.Requests {
	return &dockerapi.Requests{
		Out: func(b []byte) error { return j.write(j.stream, b) },
		Edit: func(what dockerapi.Creation, body []byte) ([]byte, error) {
			edited, err := a.edit(what, body, l.Link)
			var linux *paths.LinuxError
			if errors.As(err, &linux) {
				c.refusal = dockerapi.BadRequest(fmt.Sprintf("%q %s", linux.Path, l.Answers[WhyLinuxPath]))
				return nil, errRefused
			}
			return edited, err
		},
		TooLong: func() { a.warn(l.Link, notTranslated, errTooLong) },
		Held:    &a.held,
	}
}

// edit gives the body to send instead, nil if that is the same. The error is a
// *paths.LinuxError.
func (a *agent) edit(what dockerapi.Creation, body []byte, link string) ([]byte, error) {
	drives, err := a.distro.Drives()
	if err != nil {
		a.warn(link, notTranslated, err)
		return nil, nil
	}
	translate := drives.Container
	if what == dockerapi.CreateService {
		translate = drives.Service
	}
	edited, err := translate(body)
	if edited == nil && err == nil || !a.forWindows(link) {
		return nil, nil
	}
	return edited, err
}

// forWindows asks the engine what it is, each time that it matters: another one may be behind
// the pipe than a minute ago. One that does not tell gets what was said to it.
func (a *agent) forWindows(link string) bool {
	stream, why := a.openFor(link)
	if why != "" {
		return false
	}
	defer stream.Close()
	late := time.AfterFunc(probeTime, func() { _ = stream.Reset(mux.CodeAborted) })
	defer late.Stop()
	os, err := dockerapi.OSType(stream)
	if err != nil {
		a.warn(link, notTranslated, fmt.Errorf("the engine does not tell what it is: %w", err))
	}
	return os == "windows"
}

// refuse ends a client's requests before the one that was refused. What the engine still answers
// to those before comes first; the end of what it says lets in tell the client.
func (j *joint) refuse() {
	j.mu.Lock()
	late := j.inDone
	j.refused = !late
	j.mu.Unlock()
	if late { // the engine has ended the connection by itself
		if c, ok := j.conn.(interface{ CloseRead() error }); ok {
			_ = c.CloseRead()
		}
		return
	}
	if j.requests.Midway() {
		_ = j.stream.Reset(mux.CodeAborted)
	} else {
		_ = j.stream.CloseWrite() // fails only if it was reset
	}
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { j.endQuiet(over) })
	drain(j.conn)
	close(over)
	watching.Wait()
}

// endQuiet ends the stream once nothing has come of it for refuseTime.
func (j *joint) endQuiet(over <-chan struct{}) {
	for seen := int64(-1); ; {
		now := j.moved.Load()
		if now == seen {
			_ = j.stream.Reset(mux.CodeAborted)
			return
		}
		seen = now
		select {
		case <-time.After(refuseTime):
		case <-over:
			return
		}
	}
}
