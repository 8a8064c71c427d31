package main

import (
	"context"
	"net"
	"strings"
)

func dial(ctx context.Context, target string) (halfConn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", strings.TrimPrefix(target, "unix:"))
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}
