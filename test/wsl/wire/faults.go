package wire

import "time"

// Faults is what goes wrong, for launches from now on. The zero value is a WSL
// that works. What is set for a launch stays with it to its end.
type Faults struct {
	// Which launches. Zero values leave nobody out.
	Distro  string // those in this distro
	Program string // those whose program's path contains this; what a shell is given has no path
	Times   int    // the first so many of them

	// Before the program starts.
	Slow   time.Duration // it starts so much later; wsl.exe waits
	Silent bool          // it never starts, and wsl.exe waits for ever
	Stdout []byte        // what wsl.exe writes before the program's output, as it is
	Stderr []byte        // the same on standard error; a warning of WSL's is a line "wsl: ..."

	// While it runs.
	Chunk     int   // bytes that a hop moves at once; 0 means 4,096
	Flood     int64 // bytes that the relay adds to standard error, one buffer each pass
	EIO       bool  // the end of input is a read error, which ends the relay (microsoft/WSL#40184)
	DropInput bool  // input that the program has closed is dropped, where else the relay gives up

	// At its end.
	LeftOver bool          // a process has wsl.exe's standard handles, until the distro stops
	Grace    time.Duration // a stop of the distro is SIGTERM, and SIGKILL so much later, as systemd's; not just at once
}

// Hop is how many bytes a hop moves at once.
func (f Faults) Hop() int {
	if f.Chunk > 0 {
		return f.Chunk
	}
	return RelayBuffer
}
