package advice

import (
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// ReasonOf is one line for a person.
func ReasonOf(s control.Status) string {
	switch {
	case s.Works:
		return "works"
	case s.State == string(tunnel.Serving) && s.EngineError != "" && s.Link.Kind == config.Raw:
		return "what it leads to can't be reached: " + s.EngineError
	case s.State == string(tunnel.Serving) && s.EngineError != "":
		return "the engine can't be reached: " + s.EngineError
	case s.State == string(tunnel.Serving):
		return "the agent does not answer"
	case s.Reason != "":
		return s.State + ": " + s.Reason
	}
	return s.State
}
