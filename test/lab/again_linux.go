package lab

import (
	"context"
	"fmt"
	"os"
)

// again starts a part of the testbed, and anew when that fails: on a busy machine Wine's loader, a
// program under it or dockerd gives up in its first moments now and then, once in some hundred
// starts. That is their affair and not what is tested, so what they have said is told, and they are
// tried again.
func again[T any](ctx context.Context, start func() (T, error)) (T, error) {
	const tries = 3
	for try := 1; ; try++ {
		part, err := start()
		if err == nil || ctx.Err() != nil || try == tries {
			return part, err
		}
		fmt.Fprintln(os.Stderr, "once more:", err)
	}
}
