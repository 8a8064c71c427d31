// Command vm is the stand-in for the WSL service and its utility VM: it runs
// distros as root file systems in namespaces of their own and starts processes
// in them for the stand-in wsl.exe, through a relay that behaves like the one in
// WSL's init. It needs root and runs on Linux only.
//
// The same program plays every part, told by its first argument: the service
// (none), a distro's init, one relay per launch, the child between fork and exec,
// and a way into a distro that goes round the relay.
//
// It does not know what the processes are or what their bytes mean.
//
// Its law: what it makes lies in the directory of its configuration, each distro
// dies with its init, each init with the service, and the service with whoever
// holds its standard input.
package main
