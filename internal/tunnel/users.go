package tunnel

import (
	"context"
	"errors"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

const (
	// usersEvery is how often it is asked whether others use the distro.
	usersEvery = 10 * time.Second
	// idleLooks in a row must find nobody before the distro is left.
	idleLooks = 2
	// idleStop is when a distro that was left has stopped, or is used: WSL stops
	// it 15 s after its last program, unless its configuration says otherwise. It
	// doubles each time that this was wrong.
	idleStop = time.Minute
	// maxDoublings bounds that at an hour.
	maxDoublings = 6
)

// errUnused says that the distro was left so that it can stop.
var errUnused = errors.New("nobody else uses the distro")

// watchUsers returns true when nobody but us uses the distro, and false when
// there is nothing to watch any more. Connections are use, too.
func (d *Tunnel) watchUsers(ctx context.Context, host *bridge.Host) bool {
	for idle := 0; idle < idleLooks; {
		if may, changed := d.wanted.mayStop(); !may {
			idle = 0
			select { // nobody need be asked
			case <-changed:
				continue
			case <-host.Done():
			case <-ctx.Done():
			}
			return false
		}
		if _, on := d.pauseUntilWoken(ctx, host, usersEvery, nil); !on {
			return false
		}
		others, err := host.CountDistroUsers(ctx)
		if err != nil || others > 0 || host.CountStreams() > 0 {
			idle = 0
		} else {
			idle++
		}
		if others > 0 {
			d.patient = 0
		}
	}
	return ctx.Err() == nil
}

// awaitUseAgain tells whether a running distro is to be served: a distro that was
// left runs on for a while, and would for ever if we came back meanwhile.
func (d *Tunnel) awaitUseAgain() bool {
	if d.left.IsZero() {
		return true
	}
	if time.Since(d.left) < idleStop<<d.patient {
		return false
	}
	d.left = time.Time{}
	d.patient = min(d.patient+1, maxDoublings)
	return true
}
