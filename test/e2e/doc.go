// Package e2e holds every case of everyday use, sent through everything: a
// client in a distro, the agent, the stand-in wsl.exe, the Windows program
// under Wine, a named pipe, a real dockerd. Each is compared with the same
// command sent straight to that dockerd. In the short form the Windows program
// and its pipe are there where a case hangs on them, and once for each kind of
// client; elsewhere the Linux program is in their place.
//
// docs/testing.md says what of this is real.
package e2e
