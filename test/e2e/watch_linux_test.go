package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// until looks again and again until something holds: the kernel tells nobody
// of a stranger's process, file or connection.
func until(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	const bound = 20 * time.Second
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

// engineConns is the number of connections that dockerd holds at its TCP
// address, which are those of the named pipe's clients.
func engineConns(t *testing.T, s *stage.Stage) int {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Docker.TCP)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	const established, closeWait = "01", "08"
	count := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[1], fmt.Sprintf(":%04X", number)) && (f[3] == established || f[3] == closeWait) {
			count++
		}
	}
	return count
}
