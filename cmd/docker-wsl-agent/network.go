package main

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strings"
)

// served tells whether somebody listens at the path of a socket: yes, no, or "" if that can't be told.
// To connect would be news to whoever does. All distros are in the one list of /proc/net/unix, so that
// a yes may be another distro's.
func served(path string) string {
	list, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return ""
	}
	return listed(string(list), path)
}

// listening is the flag of a socket that does (__SO_ACCEPTCON of linux/net.h).
const listening = "00010000"

func listed(list, path string) string {
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) > 7 && fields[3] == listening && strings.HasSuffix(strings.TrimSuffix(line, "\n"), " "+path) {
			return "yes"
		}
	}
	return "no"
}

// gateway is that of the default route, "" without one. With WSL's own network (NAT) it is Windows.
func gateway() string {
	table, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return ""
	}
	return gatewayOf(string(table))
}

func gatewayOf(table string) string {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[1] != "00000000" {
			continue
		}
		b, err := hex.DecodeString(fields[2])
		if err != nil || len(b) != 4 {
			continue
		}
		return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String() // as a little-endian machine has it
	}
	return ""
}

// mirrored tells whether the distro has Windows' own interfaces: then there is one for its localhost
// (ip addr in microsoft/WSL#10650).
func mirrored() bool {
	_, err := os.Stat("/sys/class/net/loopback0")
	return err == nil
}
