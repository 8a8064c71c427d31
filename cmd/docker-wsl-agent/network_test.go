package main

import "testing"

const unixList = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 23456 /run/docker-wsl-bridge/windows.sock
0000000000000000: 00000003 00000000 00000000 0001 03 23457 /run/connected.sock
0000000000000000: 00000002 00000000 00010000 0001 01 23458 /run/with a blank.sock
0000000000000000: 00000003 00000000 00000000 0001 03 23459
ffff8881: 00000002 00000000 00010000 0001 01    12 /run/padded.sock
0000000000000000: 00000002 00000000 00010000 0001 01 23460 /run/x /run/tail.sock
0000000000000000: 00000002 00000000 00010000 0001 01 23461 @/run/abstract.sock
0000000000000000: 00000002 00000000 00010000 0005 01 23462  /run/blank.sock
`

func TestWhoListens(t *testing.T) {
	for path, want := range map[string]string{
		"/run/docker-wsl-bridge/windows.sock": "yes", "/run/with a blank.sock": "yes",
		"/run/connected.sock": "no", "/run/stale.sock": "no", "/windows.sock": "no",
		"/run/padded.sock": "yes", "/run/tail.sock": "no", "/run/x /run/tail.sock": "yes", "/run/abstract.sock": "no", "/run/blank.sock": "no",
	} {
		if got := listedState(unixList, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestGateway(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for table, want := range map[string]string{
		head + "eth0\t0000F0AC\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\neth0\t00000000\t01F018AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n": "172.24.240.1",
		// A VPN's halves, and its default route without a gateway.
		head + "tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\ntun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\neth0\t00000000\t01F018AC\t0003\t0\t0\t100\t00000000\t0\t0\t0\n": "172.24.240.1",
		// Two default routes, and one that leads nowhere.
		head + "eth1\t00000000\t0100A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n*\t00000000\t0100A8C1\t0203\t0\t0\t0\t00000000\t0\t0\t0\neth0\t00000000\t01F018AC\t0003\t0\t0\t100\t00000000\t0\t0\t0\n": "172.24.240.1",
		head: "", "": "", "eth0\t00000000\tnone": "",
	} {
		if got := gatewayOf(table); got != want {
			t.Errorf("%q: %q, want %q", table, got, want)
		}
	}
}
