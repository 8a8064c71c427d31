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
//
// It differs from the real one in what follows: resets and buffers are those of
// TCP; namespaces stand for the virtual machine, so there is one kernel with the test machine; there
// is no systemd and no session of it at a launch; there is no wslhost.exe but for the left-over
// process, which stays until its distro stops.
//   - There is no WSL 1. A launch in such a distro ends as on a Windows without that component, in
//     the message with WSL_E_WSL1_NOT_SUPPORTED, and --status says so too; what a distro of WSL 1
//     does with pipes is not stood in for.
//   - A frozen relay is a stopped process. What the sockets hold still comes out of wsl.exe, and
//     lists are answered: they are the service's, not the machine's. The real service gives a
//     hanging launch up after a while; here it hangs until the thaw.
//   - Nothing but clients counts for the idle clock: processes that a test starts past wsl.exe
//     don't, and the machine itself never stops for want of distros.
//   - --list --online, --import, --export, --unregister and other commands that change what is
//     installed are not there, nor are the states Installing and the like. --help and the stub's
//     usage are excerpts.
//   - The stub's exit code (-1) and its encoding (always UTF-16) are assumptions.
package wsl
