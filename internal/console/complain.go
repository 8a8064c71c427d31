package console

import (
	"fmt"
	"io"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// Complain is how every error looks. Errors that were joined have a line each.
func Complain(stderr io.Writer, err error, cures []codes.Hint) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, "docker-wsl-bridge: error:", printable.Escape(strings.TrimRight(line, "\r\n")))
	}
	for _, h := range cures {
		fmt.Fprint(stderr, HintLine(h))
	}
}

// HintLine is how every hint looks.
func HintLine(h codes.Hint) string { return "hint: " + printable.Escape(h.String()) + "\n" }
