package bridge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// controlLink is the name of the stream that carries the control messages.
const controlLink = "@control"

// maxMessage bounds one control message, and maxWarning a warning.
const (
	maxMessage = 64 << 10
	maxWarning = 4 << 10
)

// Listen asks the agent to listen for a link.
type Listen struct {
	Link   string `json:"link"`
	Socket string `json:"socket"`          // absolute path in the distro, or of paths.ToShared
	Mode   string `json:"mode,omitempty"`  // octal; empty: see docs/protocol.md
	Owner  string `json:"owner,omitempty"` // USER[:GROUP]; empty likewise
	Uids   []int  `json:"uids,omitempty"`  // of a shared socket, instead of both: who may connect
	Kind   string `json:"kind,omitempty"`  // KindDocker, or empty for any byte stream

	Paths string `json:"paths,omitempty"` // PathsAuto, or empty: none is translated

	// What a client of a docker link is told, by reason: WhyFrozen and so on.
	Answers map[string]string `json:"answers,omitempty"`
}

// Listening says for whom the agent listens.
type Listening struct {
	Mode  string `json:"mode"`  // four octal digits
	Owner string `json:"owner"` // user:group
	Agent Agent  `json:"agent"` // who listens
}

// Agent tells one agent's process from all others of its distro.
type Agent struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"` // in ticks since boot (proc_pid_stat(5), starttime)
}

// What an agent that means well answers: nothing in it could pass for a word
// of ours on a person's screen.
var (
	plainMode  = regexp.MustCompile(`^[0-7]{4}$`)
	plainOwner = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._-]{1,64}$`)
)

func (l *Listening) isWellFormed() bool {
	return l != nil && l.Agent.PID >= 0 && plainMode.MatchString(l.Mode) && plainOwner.MatchString(l.Owner)
}

// Kind says what is wrong, so that the host can say what cures it.
type Kind string

// The kinds of error an agent answers with.
const (
	KindInUse    Kind = "in-use"    // another program listens there
	KindDenied   Kind = "denied"    // not permitted
	KindReadOnly Kind = "read-only" // the file system is
	KindNoSpace  Kind = "no-space"  // left on the file system
	KindInvalid  Kind = "invalid"   // the request makes no sense in this distro
	KindFailed   Kind = "failed"    // anything else
)

// AgentError is the agent's answer to a request that failed.
type AgentError struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
}

func (e *AgentError) Error() string { return e.Text }

type request struct {
	Listen   *Listen     `json:"listen,omitempty"`
	Unlisten *ofLink     `json:"unlisten,omitempty"`
	Users    *struct{}   `json:"users,omitempty"`
	Lead     *AgentRoute `json:"lead,omitempty"`
	Unlead   *ofLink     `json:"unlead,omitempty"`
	Reach    *ofLink     `json:"reach,omitempty"`
	Peers    *page       `json:"peers,omitempty"`
}

// AgentRoute has connections of a reverse link lead to a socket in the distro.
type AgentRoute struct {
	Link   string `json:"link"`
	Socket string `json:"socket"` // absolute path in the distro
}

// Leading says who dials.
type Leading struct {
	Agent Agent `json:"agent"`
}

// warning is what the agent has to tell of a link beside its answers, on a stream of its own.
type warning struct {
	Link    string `json:"link"`
	Warning string `json:"warning"`
}

// ofLink is a request that needs no more than the name of a link.
type ofLink struct {
	Link string `json:"link"`
}

type answer struct {
	Listening  *Listening  `json:"listening,omitempty"`
	Unlistened *struct{}   `json:"unlistened,omitempty"`
	Users      *int        `json:"users,omitempty"`
	Leading    *Leading    `json:"leading,omitempty"`
	Unled      *struct{}   `json:"unled,omitempty"`
	Reached    *struct{}   `json:"reached,omitempty"`
	Peers      *peers      `json:"peers,omitempty"`
	Error      *AgentError `json:"error,omitempty"`
}

// messages reads and writes control messages, one JSON object a line.
type messages struct {
	lines *bufio.Scanner
	w     io.Writer
}

func newMessages(rw io.ReadWriter) *messages {
	lines := bufio.NewScanner(rw)
	lines.Buffer(nil, maxMessage)
	return &messages{lines: lines, w: rw}
}

func (m *messages) sendMessage(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = m.w.Write(append(b, '\n'))
	return err
}

func (m *messages) receiveMessage(v any) error {
	if !m.lines.Scan() {
		if err := m.lines.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	d := json.NewDecoder(bytes.NewReader(m.lines.Bytes()))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if _, end := d.Token(); err != nil || end != io.EOF {
		return errors.New("control message is not as specified") // without the peer's bytes
	}
	return nil
}

// roundTrip sends a request and waits for its answer.
func (m *messages) roundTrip(r request) (answer, error) {
	var a answer
	if err := m.sendMessage(r); err != nil {
		return a, fmt.Errorf("ask agent: %w", err)
	}
	if err := m.receiveMessage(&a); err != nil {
		return a, fmt.Errorf("ask agent: %w", err)
	}
	if a.Error != nil {
		a.Error.Text = printable.Line(a.Error.Text)
		return a, a.Error
	}
	return a, nil
}
