package main

import (
	"slices"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

func TestPipesThatAreOffered(t *testing.T) {
	present := []string{"wsass", "docker_engine", "Docker_Engine_2", "dockerBackendV2", "docker-wsl-bridge-0123", "enginelog"}
	if got, want := pipeNames("windows", present), append(engine.Names(), "Docker_Engine_2"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := pipeNames("windows", nil); !slices.Equal(got, engine.Names()) {
		t.Errorf("with no pipe there: %q", got)
	}
}
