package main

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// The tests of front are Windows ones.
func TestUnderWine(t *testing.T) { lab.RunUnderWine(t, "./test/front") }
