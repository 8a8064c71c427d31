// Package daemon serves links in one process: those of a configuration, or the one that flags say. It gives each
// link to its distro, has each distro connected by a tunnel, and is found by status, stop, drain and reload at the
// private endpoint of each link.
//
// It prints nothing: it reports events. What a link is, how a distro is reached and what cures what is wrong are
// other rooms'.
//
// Law: nothing is waited for with a lock; what has changed of a link is ended and begun anew, and what is as before
// is not touched; when Run returns, all of it is gone.
package daemon

import (
	"context"
	"io"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// Options say how links are served.
type Options struct {
	Report func(Event) // called in turn, never at the same time; it may stand still
	Stderr io.Writer   // takes what --debug tells
	Alone  bool        // nobody is there: the Event Log is told
	Debug  bool

	// Strict has what can't be had at the start be an error, for who is there to cure it. It is for the link of flags.
	Strict bool

	// File is the configuration's, empty for the one link of flags. Load reads it again, Ignored says why the machine's
	// does not count.
	File    string
	Load    func() ([]links.Link, error)
	Ignored error

	Wake      <-chan struct{}           // the machine has just woken up; nil: nobody tells
	Version   string                    // this program's
	Installed func(program string) bool // tells whether a program is the installed one
}

// Event is what has happened to a distro or a link, or a step on the way to the first one.
type Event struct {
	tunnel.Event
	Step   string  // what is being done now; then nothing else is set
	Served *Served // with Serving
}

// Served is what is served.
type Served struct {
	Link    links.Link
	Engine  string       // what it leads to, for people
	Info    engine.Info  // of that, if it was asked
	Agent   string       // the agent's file
	Context *MadeContext // what came of the docker context, if that is known
}

// MadeContext is a docker context that leads to the socket.
type MadeContext struct {
	Name string // empty: there is none
	Note string // what keeps `docker context use` from having an effect
	Err  error  // why there is none, if one was wanted
}

// Error is one of the link of flags, and says what it was about.
type Error struct {
	Distro string // empty if it has not come to that
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e *Error) Unwrap() error { return e.Err }

// Run serves links until ctx ends or it is asked to stop, which is success.
func Run(ctx context.Context, list []links.Link, o Options) (err error) {
	f := newDaemon(o)
	if o.File != "" { // else it is looked for when somebody can be told
		if f.agent, err = deploy.Own(); err != nil {
			return err
		}
	}
	return f.serveLinks(ctx, list)
}

// LogWrong writes to the log that the configuration is wrong, where nobody is there to be told.
func LogWrong(wrong error, o Options) {
	f := newDaemon(o)
	f.openLog()
	f.endMisconfigured(wrong)
	f.closeLog()
}
