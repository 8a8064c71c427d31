package advice

import (
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// Whatever a client is told says what is wrong and what to run on Windows, where the client is.
func TestClientsOfAReverseLinkAreToldTheCure(t *testing.T) {
	for _, tc := range []struct {
		why   string
		state tunnel.State
		want  string
	}{
		{bridge.WhyNotFound, tunnel.Serving, "wsl --distro Ubuntu --user root service docker start"},
		{bridge.WhyFrozen, tunnel.Frozen, "wsl --shutdown"},
		{bridge.WhyDown, tunnel.Stopped, "wsl --distro Ubuntu"},
		{bridge.WhyDown, tunnel.Unused, "wsl --distro Ubuntu"},
		{bridge.WhyDown, tunnel.Gone, "wsl --list --quiet"},
		{bridge.WhyDown, tunnel.Lost, "(it broke\ufffd), and is tried again; to see how it is, run: docker-wsl-bridge status"},
		{bridge.WhyDown, tunnel.Starting, "try again"},
		{bridge.WhyStopping, tunnel.Draining, "docker-wsl-bridge up"},
		{bridge.WhyFailed, tunnel.Serving, "docker-wsl-bridge status"},
	} {
		got := ReverseWords(tc.why, "Ubuntu", "/var/run/docker.sock", tc.state, "it broke\x1b")
		if !strings.Contains(got, tc.want) || strings.Contains(got, "engine of Windows") {
			t.Errorf("%s, %s: %s", tc.why, tc.state, got)
		}
	}
}
