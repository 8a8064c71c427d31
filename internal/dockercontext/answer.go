package dockercontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// Problem is why nothing could be done, as far as somebody can cure it.
type Problem string

// The problems.
const (
	NoHome   Problem = "no-home" // the user's directory is not there
	ReadOnly Problem = "read-only"
	NoSpace  Problem = "no-space"
	Denied   Problem = "denied"
	Failed   Problem = "failed"
)

// Answer is what a process of the distro's user tells of contexts.
type Answer struct {
	User    string  `json:"user"`
	Name    string  `json:"name,omitempty"`
	State   State   `json:"state,omitempty"`
	Host    string  `json:"host,omitempty"` // of the context that is there
	Problem Problem `json:"problem,omitempty"`
	Text    string  `json:"text,omitempty"` // of the problem

	Led     Override  `json:"led"`
	List    []Context `json:"list,omitempty"`    // if it was asked for
	Removed []string  `json:"removed,omitempty"` // names
}

// Override is what leads the docker command where its user does not tell it, strongest first. Each
// is empty if it is not set.
type Override struct {
	DockerHost    string `json:"dockerHost,omitempty"`    // of the environment
	DockerContext string `json:"dockerContext,omitempty"` // of the environment
	Current       string `json:"currentContext,omitempty"`
}

// WhyAstray says what keeps `docker context use NAME` from having an effect, "" if nothing does. host is where
// the context leads.
func (l Override) WhyAstray(name, host string) string {
	switch {
	case l.DockerHost != "" && l.DockerHost != host:
		return "DOCKER_HOST is " + l.DockerHost
	case l.DockerHost == "" && l.DockerContext != "" && l.DockerContext != name:
		return "DOCKER_CONTEXT is " + l.DockerContext
	}
	return ""
}

// MakePrintable makes words of a distro fit for people's eyes.
func (l *Override) MakePrintable() {
	for _, word := range []*string{&l.DockerHost, &l.DockerContext, &l.Current} {
		*word = printable.Line(*word)
	}
}

// ProblemError says that a context could not be made or removed.
type ProblemError struct {
	Distro  string // whoever has asked knows it
	User    string
	Problem Problem
	Text    string
}

func (e *ProblemError) Error() string {
	return fmt.Sprintf("docker contexts of %s in %s: %s", e.User, e.Distro, e.Text)
}

var errOtherWords = errors.New("the agent's program said something else than what it should")

// ReadAnswer takes words of a distro: what is no plain word is not passed on. The error is a
// *ProblemError if the answer tells of one.
func ReadAnswer(said []byte) (Answer, error) {
	var a Answer
	d := json.NewDecoder(bytes.NewReader(said))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return Answer{}, errOtherWords
	}
	for _, word := range []*string{&a.User, &a.Name, &a.Host, &a.Text} {
		*word = printable.Line(*word)
	}
	a.Led.MakePrintable()
	for i := range a.List {
		a.List[i].Name, a.List[i].Host = printable.Line(a.List[i].Name), printable.Line(a.List[i].Host)
	}
	for i := range a.Removed {
		a.Removed[i] = printable.Line(a.Removed[i])
	}
	if a.Problem != "" {
		return a, &ProblemError{"", a.User, a.Problem, a.Text}
	}
	return a, nil
}
