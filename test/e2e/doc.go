// Package e2e holds every case of everyday use, sent through everything: a
// client in a distro, the agent, the stand-in wsl.exe, the Windows program
// under Wine, a named pipe, a real dockerd. Each is compared with the same
// command sent straight to that dockerd.
//
// docs/testing.md says what of this is real.
package e2e
