package endpoint

import "net"

func peerOf(*net.UnixConn) (Peer, bool) { return Peer{}, false }
