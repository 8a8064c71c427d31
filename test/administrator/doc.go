// Command administrator runs a Windows program with an administrator's rights, as "Run as administrator"
// does, and ends with its exit code. Wine 8 gives those rights to everything, Wine 10 to nothing that
// does not ask for them. What the program has started is left alone.
//
//	administrator PROGRAM [ARG...]
package main
