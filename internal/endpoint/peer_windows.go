package endpoint

import "syscall"

func peerOf(syscall.Conn) (Peer, bool) { return Peer{}, false }
