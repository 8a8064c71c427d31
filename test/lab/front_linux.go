package lab

import (
	"context"
	"slices"
)

// Front is dockerd.exe's listener in a prefix: test/front.
type Front struct{ *aide }

// StartFront has named pipes of the prefix stand in front of engines: a pipe's
// name, or NAME@OWNER, to HOST:PORT on loopback, to HOST:PORT,deaf=N to read nothing
// of the first N connections, or to "denied" for one that lets nobody in. It
// returns when all take connections; ctx bounds the start only.
func (w *Wine) StartFront(ctx context.Context, pipes map[string]string) (*Front, error) {
	var args []string
	for name, target := range pipes {
		args = append(args, name+"="+target)
	}
	slices.Sort(args)
	a, _, err := w.startAide(ctx, "front", "./test/front", args...)
	if err != nil {
		return nil, err
	}
	return &Front{a}, nil
}
