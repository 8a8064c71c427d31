package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Conns is the number of connections that the daemon holds at its TCP address, which are those of
// the named pipes in front of it, and at its unix socket.
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
	local, err := d.localConns()
	return count + local, err
}

// localConns counts the accepted ends that have a peer: dockerd holds a connection that it has taken over
// from HTTP until it writes to it, however long its client has gone.
func (d *Docker) localConns() (count int, err error) {
	path, err := program("ss") // of iproute2; /proc/net/unix does not tell of peers
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	table, err := exec.Command(path, "-xH", "src", d.Socket).Output()
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	for line := range strings.Lines(string(table)) { // u_str ESTAB 0 0 SOCKET INODE * PEER
		if f := strings.Fields(line); len(f) >= 8 && f[1] == "ESTAB" && f[4] == d.Socket && f[7] != "0" {
			count++
		}
	}
	return count, nil
}
