package endpoint

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// The other part, a command that ends its output and takes input on, is tested on Linux
// only: under Wine the conhost.exe of a process without a window inherits that process's
// handles, so its output ends with the process.
func TestExecHalfClose(t *testing.T) { halfclose.Forward(t, halfClosed(t)) }
