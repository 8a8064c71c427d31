package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// bound is what docs/reliability.md promises of a machine that does nothing else, as it is in the long
// form. In the short form the machine may be busy with other things, and what follows is to follow, by
// itself: far below what would bring it about in another way.
func bound(promised time.Duration) time.Duration {
	if long() {
		return promised
	}
	return 8 * promised
}

// The bounds of most faults: of what ends with them, and of what serves again.
var atOnce, comeBack = bound(2 * time.Second), bound(10 * time.Second)

// until looks again and again until something holds: the kernel tells nobody
// of a stranger's process, file or connection.
func until(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	const bound = time.Minute
	limit := time.NewTimer(bound)
	defer limit.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-limit.C:
			t.Fatalf("waited %v for %s", bound, what)
		case <-ctx.Done():
			t.Fatalf("waited for %s: %v", what, ctx.Err())
		}
	}
}

// idleEngine waits until nobody is connected to the engine any more: a connection
// of what went before may outlast it for a moment, and would be counted with the test's own.
func idleEngine(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	until(ctx, t, "the engine to be idle", func() bool { return engineConns(t, s) == 0 })
}

// engineConns is the number of connections that dockerd holds at its TCP
// address, which are those of the named pipe's clients.
func engineConns(t *testing.T, s *stage.Stage) int {
	t.Helper()
	count, err := s.Docker.Conns()
	if err != nil {
		t.Fatal(err)
	}
	return count
}
