// Command bare is the floor of what two processes between a client and an engine cost: it
// takes connections on a socket and starts a process for each, with two pipes between. Both
// copy with calls that block and do nothing else: there is one connection on the pipes.
//
//	bare near SOCKET ENGINE
package main
