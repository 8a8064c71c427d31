package install

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// TestUnderWine runs this package's tests as a Windows program of an administrator.
func TestUnderWine(t *testing.T) { lab.RunAsAdministrator(t, "./internal/install") }
