package control

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// Who serves a configuration is found by its file, alone, and reloads it or says why not.
func TestReload(t *testing.T) {
	dir, file := runDir(t), "/home/me/config.toml"
	at, err := endpoint.PrivateEndpoint(dir, ConfigPlace(file).ID())
	if err != nil {
		t.Skip(err) // of Windows' own
	}
	if _, err := ReloadInstance(t.Context(), at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with nobody there: %v", err)
	}
	wrong := make(chan error, 1) // with each reload
	h := handler(func() {})
	h.Reload = func(context.Context) (Reloaded, error) { return Reloaded{Added: []string{"a"}}, <-wrong }
	i, err := OpenConfig(t.Context(), dir, file, h)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	wrong <- nil
	if done, err := ReloadInstance(t.Context(), at); err != nil || !slices.Equal(done.Added, []string{"a"}) {
		t.Errorf("%+v, %v", done, err)
	}
	const words = "config.toml:1:1: there is no key"
	wrong <- errors.New(words)
	var refused *RefusedError
	if _, err := ReloadInstance(t.Context(), at); !errors.As(err, &refused) || refused.Text != words {
		t.Errorf("%v", err)
	}
	var runs *RunsError
	if _, err := OpenConfig(t.Context(), dir, file, h); !errors.As(err, &runs) {
		t.Errorf("a second one: %v", err)
	}
	if found, err := ListStatus(t.Context(), dir); len(found) > 0 || err != nil {
		t.Errorf("it is no place: %+v, %v", found, err)
	}
	openAt(t, dir, place, handler(func() {}))
	one, err := endpoint.PrivateEndpoint(dir, place.ID())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReloadInstance(t.Context(), one); !errors.As(err, &refused) {
		t.Errorf("without a configuration: %v", err)
	}
}
