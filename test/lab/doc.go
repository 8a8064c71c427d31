// Package lab is the machine room of the tests and of the demo: it says what
// this machine has, builds programs, and opens a Wine prefix, a docker daemon
// and the engine's pipe in front of it.
//
// It does not know the product, nor the stand-in for wsl.exe: callers put the
// parts together. Wine and the daemon are Linux programs, so everything but
// Need, Missing, Root and the builders exists on Linux only.
//
// Its law: what it starts is bounded in time and ends with Close, which leaves
// nothing behind; it ends too when the process that opened it is killed. Only
// what makes the next run quicker stays, under build/.
package lab
