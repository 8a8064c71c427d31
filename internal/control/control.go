// Package control is the private endpoint of a running bridge: HTTP with JSON, for programs of
// the same user. docs/control.md specifies it.
//
// It knows what can be asked and how instances of one user find each other: a file for each
// tells where it listens. It knows neither what the answers mean nor how a bridge is ended.
//
// Law: one place, a socket in a distro or a configuration, has one instance; whoever is not the user (or the system)
// reaches none; a file whose instance does not answer any more counts for nothing.
package control

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// Place is what one instance serves.
type Place struct {
	Distro string // its name, in any case; * for one that every distro sees
	Socket string // the path in it
}

// IsInEveryDistro tells a socket that all distros see.
func (p Place) IsInEveryDistro() bool { return p.Distro == config.All }

// ID names a place, in 16 hexadecimal digits.
func (p Place) ID() string {
	sum := sha256.Sum256([]byte(strings.ToLower(p.Distro) + "\x00" + p.Socket))
	return hex.EncodeToString(sum[:8])
}

// Status is how an instance is. Nothing in it is of the bytes that are carried.
type Status struct {
	Version string    `json:"version"` // of the program
	PID     int       `json:"pid"`
	Program string    `json:"program,omitempty"` // its file
	Since   time.Time `json:"since"`             // when it was started
	Uptime  float64   `json:"uptimeSeconds"`

	Link       Link      `json:"link"`
	Works      bool      `json:"works"`      // a client that connects now reaches the engine
	State      string    `json:"state"`      // of the daemon, as in up --json
	StateSince time.Time `json:"stateSince"` // in that state
	Reason     string    `json:"reason,omitempty"`
	Next       time.Time `json:"nextAttempt,omitzero"`
	Woken      time.Time `json:"wokenAt,omitzero"` // when the machine was last seen to have slept, or a service to have its user back
	Streams    int       `json:"streams"`          // connections that are carried now
	// RoundTrip is that of one question to the agent, 0 if it did not answer within a second.
	RoundTrip float64 `json:"roundTripSeconds,omitempty"`

	Build string `json:"build,omitempty"` // the SHA-256 of its agent

	// Engine is what the engine said of itself just now, EngineError why it, or whatever the link leads
	// to, can't be reached.
	Engine      engine.Info `json:"engine,omitzero"`
	EngineError string      `json:"engineError,omitempty"`

	// Config is the user's file of a bridge that serves what files say. Such a bridge has several
	// links: each has an endpoint that tells of it.
	Config string `json:"config,omitempty"`

	Hints []codes.Hint `json:"hints,omitempty"` // what cures it, when it does not work
	Log   string       `json:"log,omitempty"`   // the file
}

// Link is what is served.
type Link struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`   // docker or raw
	Distro string `json:"distro"` // * for all of them
	Socket string `json:"socket"`
	Mode   string `json:"mode,omitempty"`  // of the socket, once it is there
	Owner  string `json:"owner,omitempty"` // likewise
	Engine string `json:"engine,omitempty"`
	// Host is the distro whose agent serves a socket of all distros, and Uids are whom that lets in.
	Host string `json:"host,omitempty"`
	Uids []int  `json:"uids,omitempty"`
	// Context is the docker context that is made for it; empty: none.
	Context string `json:"context,omitempty"`
	// Reverse says that the clients are on Windows: Socket is the pipe that they connect to, Engine a
	// socket in the distro.
	Reverse bool `json:"reverse,omitempty"`
}

// IsCommand tells a link that leads to a command, which nobody starts for a question.
func (l Link) IsCommand() bool { return strings.HasPrefix(l.Engine, "exec: ") }

// PlaceOf is the link's.
func (l Link) PlaceOf() Place { return Place{l.Distro, l.Socket} }

// ServedDistro is the distro whose agent serves it.
func (l Link) ServedDistro() string {
	if l.PlaceOf().IsInEveryDistro() {
		return l.Host
	}
	return l.Distro
}

// ConfigPlace stands for all that a user's configuration wants: who has it serves that file.
func ConfigPlace(file string) Place { return Place{Socket: file} }

// Reloaded is what a reload has changed, by the links' names.
type Reloaded struct {
	Added     []string `json:"added"`
	Removed   []string `json:"removed"`
	Changed   []string `json:"changed"`
	Unchanged []string `json:"unchanged"`
}

// The paths.
const (
	statusPath  = "/v1/status"
	settledPath = "/v1/settled"
	stopPath    = "/v1/stop"
	drainPath   = "/v1/drain"
	reloadPath  = "/v1/reload"
)
