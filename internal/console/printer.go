package console

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// Printer prints what a command has to say: as text for a person, or as JSON for a script.
type Printer struct {
	Out  io.Writer // what was asked for; JSON, all of it
	Err  io.Writer // for a person, what happens meanwhile
	JSON bool
}

// Result prints the one result of a command: object as a line of JSON, or what text writes.
func (p *Printer) Result(object any, text func(w io.Writer) error) error {
	if p.JSON {
		return json.NewEncoder(p.Out).Encode(object)
	}
	return text(p.Out)
}

// Event prints one of several results: object as a line of JSON, or text as it is. A reader that has gone misses it.
func (p *Printer) Event(object any, text string) {
	_ = p.Result(object, func(io.Writer) error {
		_, err := io.WriteString(p.Err, text)
		return err
	})
}

// Step tells a person what happens, in one line. A script gets results alone.
func (p *Printer) Step(format string, args ...any) {
	if !p.JSON {
		fmt.Fprintln(p.Err, printable.Escape(fmt.Sprintf(format, args...)))
	}
}
