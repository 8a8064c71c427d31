package main

import (
	"io"
	"os"
	"time"
)

// stubVariable makes this the wsl.exe that Windows has in System32 where WSL is
// not installed: "text" for the one that says so, "usage" for an older one, which
// answers everything with its usage. "asks", "update" and "corrupted" are those that ask
// for a key to install, to update or to repair WSL.
const stubVariable = "WSL_STANDIN_STUB"

// keyTime is how long it waits for a key, which nobody presses here (src/windows/common/install.cpp).
const keyTime = time.Minute

// stub answers as it does. It has not heard of WSL_UTF8.
func stub(kind string, p printer) uint32 {
	p.utf8 = false
	switch kind {
	case "usage":
		p.print(msgUsage)
	case "asks":
		p.print(msgNotInstalled + msgAsksForKey)
		waitForKey()
	case "update":
		p.print(msgMustUpdate + msgAsksForKey)
		waitForKey()
	case "corrupted":
		p.print(msgCorrupted)
		waitForKey()
	default:
		p.print(msgNotInstalled)
	}
	return failed
}

// waitForKey ends with the standard input, too: whoever closes that wants no answer any more. No byte of it is a key.
func waitForKey() {
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(keyTime):
	}
}
