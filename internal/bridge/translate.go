package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/relay"
)

// PathsAuto has the agent translate paths in what clients of a docker link ask
// to be created, if its engine is one for Windows containers.
const PathsAuto = "auto"

// Why a client's request is refused: the other keys of Listen.Answers. The first is of a path of its own, which has
// no name on Windows; the second of paths that can't be translated, for whatever reason.
const (
	WhyLinuxPath    = "linux-path"
	WhyUntranslated = "untranslated"
)

const (
	// probeTime is what an engine gets to tell what it is, in as many tries as begin in holdTime.
	probeTime = 3 * time.Second
	// probePause is between two of them.
	probePause = 100 * time.Millisecond
	// leftPause is how often somebody looks whether the client of a translation is there still: a connection that
	// nobody reads tells nothing by itself.
	leftPause = 100 * time.Millisecond
)

// notTranslated is what is warned of when a connection passes as it is.
const notTranslated = "paths are not translated"

var (
	errOdd  = errors.New("what is said on a connection is no HTTP/1")
	errNoOS = errors.New("it does not say what its containers run")
)

// translation is the way of a client's requests to an engine, where their paths are put into its words.
type translation struct {
	agent *agent
	relay *relay.Relay
	to    *client
	link  Listen
}

// newTranslation is the way of a client's requests to its engine.
func (a *agent) newTranslation(r *relay.Relay, c *client, l Listen) *dockerapi.Requests {
	t := &translation{a, r, c, l}
	r.Answers = new(dockerapi.Answers)
	return &dockerapi.Requests{
		Out:      r.WriteToStream,
		Answers:  r.Answers,
		Await:    t.awaitAnswers,
		Edit:     t.editRequestBody,
		Unheld:   t.decideUnheldCreation,
		Continue: func() error { return r.WriteToConn([]byte("HTTP/1.1 100 Continue\r\n\r\n")) },
		Odd:      func() { a.sendWarning(l.Link, notTranslated, errOdd) },
		Held:     &a.held,
	}
}

// awaitAnswers waits for the engine's answers to what was asked before.
func (t *translation) awaitAnswers() (http bool, err error) {
	t.whileClientWaits(func(ctx context.Context) { http, err = t.relay.Answers.AwaitAnswers(ctx) })
	return http, err
}

// editRequestBody gives the body to send instead, nil if that is the same. The error is relay.ErrRefused, or says that nobody is
// there who wants to know.
func (t *translation) editRequestBody(what dockerapi.Creation, body []byte) (edited []byte, err error) {
	t.whileClientWaits(func(ctx context.Context) { edited, err = t.editBodyFor(ctx, what, body) })
	return edited, err
}

func (t *translation) editBodyFor(ctx context.Context, what dockerapi.Creation, body []byte) ([]byte, error) {
	drives, noDrives := t.agent.distro.Drives() // without any, every path of Linux has no name on Windows
	translate := drives.EditContainer
	if what == dockerapi.CreateService {
		translate = drives.EditService
	}
	edited, err := translate(ctx, body)
	if edited == nil && err == nil { // no path is in it
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if noDrives != nil {
		err = noDrives
	}
	if windows, unknown := t.isForWindows(ctx); unknown != nil {
		return nil, unknown
	} else if !windows {
		return nil, nil
	}
	var linux *paths.LinuxError
	switch {
	case errors.As(err, &linux):
		return nil, t.refuseRequest(http.StatusBadRequest, fmt.Sprintf("%q %s", linux.Path, t.link.Answers[WhyLinuxPath]))
	case errors.Is(err, paths.ErrNotJSON):
		return nil, t.refuseUntranslated(http.StatusBadRequest, errors.New("the body of the request is no JSON"))
	case err != nil:
		return nil, t.refuseUntranslated(http.StatusServiceUnavailable, err)
	}
	return edited, nil
}

// decideUnheldCreation decides about a creation that can't be held: only an engine that is known to have the distro's paths gets it
// as it is.
func (t *translation) decideUnheldCreation(_ dockerapi.Creation, why error) (err error) {
	t.whileClientWaits(func(ctx context.Context) {
		windows := false
		if windows, err = t.isForWindows(ctx); windows {
			err = t.refuseUntranslated(statusOfUnheld(why), why)
		}
	})
	return err
}

func statusOfUnheld(why error) int {
	switch why {
	case dockerapi.ErrTooLong:
		return http.StatusRequestEntityTooLarge
	case dockerapi.ErrTooMuch:
		return http.StatusServiceUnavailable
	case dockerapi.ErrExpects:
		return http.StatusExpectationFailed
	}
	return http.StatusBadRequest
}

// refuseUntranslated refuses a request whose paths can't be translated.
func (t *translation) refuseUntranslated(status int, why error) error {
	return t.refuseRequest(status, fmt.Sprintf("the paths in this request can't be translated for the engine: %v; %s", why, t.link.Answers[WhyUntranslated]))
}

func (t *translation) refuseRequest(status int, message string) error {
	t.to.refusal = dockerapi.RefusalAnswer(status, message)
	return relay.ErrRefused
}

// whileClientWaits does something, with a context that ends when nobody wants it any more: when the client has left, or
// the way to its engine is lost.
func (t *translation) whileClientWaits(do func(context.Context)) {
	ctx, cancel := context.WithCancelCause(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { t.watchForLeaving(ctx, cancel) })
	do(ctx)
	cancel(nil)
	watching.Wait()
}

func (t *translation) watchForLeaving(ctx context.Context, cancel context.CancelCauseFunc) {
	conn, asks := t.relay.Conn.(interface{ HungUp() bool })
	tick := time.NewTicker(leftPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.agent.session.Done():
			cancel(relay.ErrLeft)
			return
		case <-tick.C:
			if t.relay.IsLost() || asks && conn.HungUp() {
				cancel(relay.ErrLeft)
				return
			}
		}
	}
}

// isForWindows asks the engine what it is, each time that it matters: another one may be behind
// the pipe than a minute ago. It waits as long as a client does whose carrier is frozen; then the error is relay.ErrRefused.
func (t *translation) isForWindows(ctx context.Context) (windows bool, err error) {
	within, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	late := time.NewTimer(holdTime)
	defer late.Stop()
	for {
		os, why, err := t.askOSType(within)
		switch {
		case err == nil:
			return os == "windows", nil
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		}
		select {
		case <-within.Done():
		case <-late.C:
		case <-time.After(probePause):
			continue
		}
		if why != "" {
			return false, t.refuseRequest(http.StatusServiceUnavailable, t.to.messageForReason(why))
		}
		return false, t.refuseUntranslated(http.StatusServiceUnavailable, fmt.Errorf("whether it is one for Windows containers is not known: %w", err))
	}
}

// askOSType asks once. why is that of a client that gets no stream, if it is known.
func (t *translation) askOSType(ctx context.Context) (os, why string, err error) {
	stream, why := t.agent.openStream(t.link.Link)
	if why != "" {
		return "", why, errNoOS
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset(mux.CodeAborted) })
	defer stop()
	os, err = dockerapi.OSType(stream)
	if refused := (*mux.RefusedError)(nil); errors.As(err, &refused) {
		return "", reasonOfRefusal(refused.Code), err
	}
	if err == nil && os == "" {
		err = errNoOS
	}
	return os, "", err
}
