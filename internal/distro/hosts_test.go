package distro

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// Who may serve all distros runs, is of WSL 2 and no part of Docker Desktop; the default one comes first.
func TestHosts(t *testing.T) {
	const table = "  NAME              STATE           VERSION\r\n" +
		"* Ubuntu            Running         2\r\n" +
		"  docker-desktop    Running         2\r\n" +
		"  Old               Running         1\r\n" +
		"  Debian            Stopped         2\r\n" +
		"  Arch              Wird gestartet  2\r\n"
	for running, want := range map[string][2][]string{
		"docker-desktop\r\nUbuntu\r\nArch\r\nOld\r\n": {{"Ubuntu", "docker-desktop", "Arch"}, {"Ubuntu", "Arch"}},
		"docker-desktop\r\nDebian\r\n":                {{"docker-desktop", "Debian"}, {"Debian"}},
		"docker-desktop\r\n":                          {{"docker-desktop"}, nil},
		"Old\r\n":                                     {nil, nil},
		"":                                            {nil, nil},
	} {
		w := WSL{said: func(_ context.Context, args []string) ([]byte, error) {
			switch {
			case slices.Equal(args, wsl.RunningArgs()):
				return []byte(running), nil
			case slices.Equal(args, wsl.TableArgs()):
				return []byte(table), nil
			}
			return nil, errors.New("it was asked for something else")
		}}
		list, hosts, err := w.RunningHosts(t.Context())
		if err != nil || !slices.Equal(list, want[0]) || !slices.Equal(hosts, want[1]) {
			t.Errorf("%q: %q of %q, %v; want %q", running, hosts, list, err, want)
		}
	}
}
