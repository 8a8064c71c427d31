// Command front stands for dockerd.exe's listener: it listens at named pipes
// as dockerd.exe does and forwards each connection to an engine on loopback.
//
//	front NAME[@OWNER]=127.0.0.1:PORT[,deaf=NUMBER] ...
//	front NAME=denied
//
// OWNER is whose the pipe is, in SDDL: a SID or a short name. It is BA, the
// administrators, as dockerd.exe's is, unless told otherwise. Of the first NUMBER
// connections it reads nothing, and forwards what the engine says to them. A
// denied pipe lets nobody in.
//
// It is a Windows program. It prints "ready" when every pipe takes connections
// and ends when its stdin ends. It knows nothing of what it carries.
//
// Its law: bytes, and the end of either direction, arrive on the other side;
// after any error both sides are closed.
package main
