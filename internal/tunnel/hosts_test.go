package tunnel

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A distro that is to be served since it ran is not started when it has stopped meanwhile.
func TestADistroThatRanIsNotStarted(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.SetLinks(nil, false)
		b.runs, b.Persist, b.Awaits = false, true, true
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Hour)
		defer cancel()
		if err := b.Run(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		b.wantEvents("0s distro-stopped")
		if n := b.count("list"); n != len(b.asked) {
			t.Errorf("wsl.exe was asked for more than its list: %q", b.asked)
		}
	})
}
