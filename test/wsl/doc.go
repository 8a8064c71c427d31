// Package wsl is the stand-in for WSL2 that the tests run against: a VM process
// (cmd/vm) whose distros are real root file systems in namespaces of their own,
// and a wsl.exe (cmd/wsl) that reaches it the way the real one reaches its
// utility VM. This package starts and stops that VM, lets a test look inside, and
// makes it break as WSL breaks.
//
// It knows how WSL behaves where a program at the other end of its pipes can
// notice: command line, encodings, relays, sessions, exit codes. It knows
// nothing of Docker, of the agent or of any package of the product, and the
// product knows nothing of it.
//
// Its law: everything it makes lies in the directory it was given or in mount
// namespaces that end with the VM, and everything ends when the VM ends.
package wsl
