package main

import (
	"context"
	"errors"
	"strings"

	"github.com/Microsoft/go-winio"
)

func dial(ctx context.Context, target string) (halfConn, error) {
	c, err := winio.DialPipeContext(ctx, `\\.\pipe\`+strings.TrimPrefix(target, "npipe:"))
	if err != nil {
		return nil, err
	}
	half, ok := c.(halfConn)
	if !ok {
		return nil, errors.Join(errors.New("the pipe has no half-close"), c.Close())
	}
	return half, nil
}
