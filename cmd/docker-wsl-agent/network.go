package main

import (
	"encoding/hex"
	"errors"
	"math"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// servedState tells whether somebody listens at the path of a socket: yes, no, or "" if that can't be told.
// To connect would be news to whoever does. All distros are in the one list of /proc/net/unix, so that
// a yes may be another distro's.
func servedState(path string) string {
	list, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return ""
	}
	return listedState(string(list), path)
}

// listening is the flag of a socket that does (__SO_ACCEPTCON of linux/net.h).
const listening = "00010000"

// unixLine is a line of proc_net_unix: seven fields, the last of them padded, a blank, and the path as it is, blanks
// included (unix_seq_show in net/unix/af_unix.c of the kernel).
var unixLine = regexp.MustCompile(`^[0-9A-Fa-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) [0-9A-F]+ [0-9A-F]+ +[0-9]+ (.+)$`)

func listedState(list, path string) string {
	for line := range strings.Lines(list) {
		m := unixLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m != nil && m[1] == listening && m[2] == path {
			return "yes"
		}
	}
	return "no"
}

// defaultGateway is that of the default route, "" without one. With WSL's own network (NAT) it is Windows.
func defaultGateway() string {
	table, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return ""
	}
	return gatewayOf(string(table))
}

// The flags of a route that count here (linux/route.h): it is up, has a gateway, and leads nowhere.
const (
	routeUp      = 0x1
	routeGateway = 0x2
	routeReject  = 0x200
)

// gatewayOf reads a table of proc_net_route: interface, destination, gateway, flags, two counts, metric, mask. Half
// of the addresses have the destination 0 too, with a mask, and a default route need not have a gateway: both are what
// VPNs make. Of several the one with the lowest metric counts.
func gatewayOf(table string) (gateway string) {
	best := uint64(math.MaxUint64)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[1] != "00000000" || fields[7] != "00000000" {
			continue
		}
		flags, err1 := strconv.ParseUint(fields[3], 16, 32)
		metric, err2 := strconv.ParseUint(fields[6], 10, 64)
		b, err3 := hex.DecodeString(fields[2])
		if errors.Join(err1, err2, err3) != nil || len(b) != 4 || flags&(routeUp|routeGateway|routeReject) != routeUp|routeGateway {
			continue
		}
		if metric < best {
			best, gateway = metric, netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String() // as a little-endian machine has it
		}
	}
	return gateway
}

// isMirrored tells whether the distro has Windows' own interfaces: then there is one for its localhost
// (ip addr in microsoft/WSL#10650).
func isMirrored() bool {
	_, err := os.Stat("/sys/class/net/loopback0")
	return err == nil
}
