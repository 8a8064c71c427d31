package daemon

import (
	"context"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// unknownDistro stands for the default one while WSL does not tell its name. No distro can be
// called so.
const unknownDistro = "(default)"

// chooseUntilFound has WSL tell the distro that is meant, as often as that takes. It is empty when ctx ends
// before.
func chooseUntilFound(ctx context.Context, name string, tell func(tunnel.Event), wake <-chan struct{}) (w distro.WSL, distro string) {
	_ = supervisor.Run(ctx, func(ctx context.Context) (well time.Duration, err error) {
		w, distro, err = chooseDistroOnce(ctx, name)
		return 0, err
	}, func(err error, pause time.Duration) (last bool) {
		if err != nil {
			tell(tunnel.FailureEvent(name, err, pause))
		}
		return err == nil
	}, wake)
	return w, distro
}

// chooseDistroOnce finds wsl.exe and has it tell the distro that is meant, which is empty with an error.
func chooseDistroOnce(ctx context.Context, name string) (distro.WSL, string, error) {
	w, err := distro.FindWSL()
	if err != nil {
		return w, "", err
	}
	distro, err := w.ChooseDistro(ctx, name)
	if err != nil {
		return w, "", err
	}
	return w, distro, nil
}
