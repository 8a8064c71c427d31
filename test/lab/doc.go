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
//
// Wine has its ways, which the tests work around: its schtasks.exe takes a task
// and keeps it, but never runs one, and says of every name that it is there;
// go-winio's parked first instance of a pipe takes the first client and never
// serves it, so the tests dial once before their clients do; a byte-mode pipe
// claims message mode, a pipe's default owner is not the user who made it, so
// the tests' pipes name theirs, an empty message ends its reader's input, and a
// first instance can be made twice, so that a second up is found by asking; the
// hidden console (conhost.exe) of a process without a window inherits its
// handles, so that its output ends with the process and not before; Wine 8 lacks
// the DLL that Go takes its random numbers from, and gets a 4 KiB one that
// forwards. Wine 10 gives no program an administrator's rights that does not ask
// for them (Administrator). Its service control manager is in session 1, does
// not notice the death of a service's process, calls the start of one that has
// stopped already a timeout, keeps recovery actions and does not follow them,
// and refuses per-user services; nothing is removed through the handle of its
// directory; its console takes Ctrl-C and no Ctrl-Break; testing's temporary
// directories can't be removed.
package lab
