package lab

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// Conns is the number of connections that the daemon holds at its TCP address,
// which are those of the named pipes in front of it.
func (d *Docker) Conns() (int, error) {
	_, text, err := net.SplitHostPort(d.TCP)
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	const established, closeWait = "01", "08"
	count := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && (f[3] == established || f[3] == closeWait) {
			count++
		}
	}
	return count, nil
}
