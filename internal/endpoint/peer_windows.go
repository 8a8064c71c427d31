package endpoint

import "syscall"

func lookUpPeer(syscall.Conn) (Peer, bool) { return Peer{}, false }
