package files

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// TestUnderWine runs this package's tests as a Windows program.
func TestUnderWine(t *testing.T) { lab.RunUnderWine(t, "./internal/files") }
