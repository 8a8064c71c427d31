// Command dialstdio does what `docker system dial-stdio` does with a named pipe:
// stdin to the pipe, its end as a half-close, the pipe to stdout. It is smaller
// than docker.exe and starts quicker, which favours the design that is built on it.
package main
