package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// configureLinks writes a configuration with links of these names.
func configureLinks(t *testing.T, file string, links ...string) {
	t.Helper()
	text := ""
	for _, name := range links {
		text += fmt.Sprintf("[[link]]\nname = %q\ndistro = \"Debian\"\nfrom = \"unix:/run/%s.sock\"\nto = \"unix:/run/engine.sock\"\n", name, name)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// A reload that comes as soon as somebody listens waits until all is set up; one that comes at the end
// changes nothing.
func TestReloadAtBothEnds(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CONFIG_HOME", "PATH"} { // no wsl.exe is found
		t.Setenv(name, home)
	}
	file, err := config.UserFile("linux", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	configureLinks(t, file, "first")
	c, err := links.Load(config.MachineFile(), file, "linux")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	log := state.LogFile(dir, configLog, control.Place{Distro: configLog}.ID())
	if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o700), syscall.Mkfifo(log, 0o600)); err != nil {
		t.Fatal(err)
	}
	at, err := endpoint.PrivateEndpoint(state.RunDir(dir), control.ConfigPlace(file).ID())
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	served, stop := context.WithCancel(ctx)
	f := newDaemon(ofFile(file, nil))
	ended := make(chan error, 1)
	go func() { ended <- f.serveLinks(served, c.Links) }()
	answers := func() bool {
		_, err := control.AskStatus(ctx, at)
		return err == nil
	}
	for !answers() {
		if ctx.Err() != nil {
			t.Fatal("it does not listen")
		}
	}
	configureLinks(t, file, "second")
	reloaded := make(chan error, 1)
	go func() {
		done, err := control.ReloadInstance(ctx, at)
		if err == nil && (len(done.Added) != 1 || len(done.Removed) != 1) {
			err = fmt.Errorf("it has changed %+v", done)
		}
		reloaded <- err
	}()
	for range 5 { // the reload comes before these
		answers()
	}
	fifo, err := os.Open(log) // until now it waits for its log
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	go io.Copy(io.Discard, fifo)
	if err := <-reloaded; err != nil {
		t.Errorf("at the start: %v", err)
	}

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	configureLinks(t, file, "third")
	if done, err := f.reloadFiles(ctx); !errors.Is(err, errEnding) {
		t.Errorf("at the end it changes %+v, %v", done, err)
	}
}
