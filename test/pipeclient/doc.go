// Command pipeclient is clients of Windows pipes, for whoever connects to it: it listens at a port of
// loopback, which it prints, and each connection there says in its first line which client it is to be:
//
//	winio NAME   as Docker's clients are: it knows go-winio's end of stream, a message of no bytes,
//	             in both directions
//	plain NAME   says everything first, and then reads with ReadFile until that fails; a message of
//	             no bytes is nothing to it
//
// It answers with a line, "ok" or what is wrong, and carries bytes from there on. An end of stream is
// one on both sides; any error resets the connection.
//
// It is a Windows program, and ends when its stdin ends. test/front is its counterpart.
package main
