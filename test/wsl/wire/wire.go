// Package wire is what the stand-in wsl.exe and the stand-in VM say to each
// other. It takes the place of the COM calls and hvsockets between wsl.exe,
// wslservice.exe and the utility VM, with TCP on loopback as carrier, because a
// Windows program under Wine has neither AF_UNIX nor AF_HYPERV.
//
// One launch is five connections, as in the real thing: standard input, output
// and error, terminal control, and interop. The interop connection comes first:
// it carries one request and its reply, and later the exit status, which the
// client sends back to say that it was seen. The others carry plain bytes. A
// sixth carries nothing: it is the client's process to the service, which has
// the process' handle in the real thing.
//
// Its law: a hello has a fixed length, so that nobody reads past it into bytes
// that belong to the child process.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The connections of one launch, in the order in which WSL numbers its sockets.
const (
	Stdin = iota
	Stdout
	Stderr
	Terminal // held by wsl.exe only: when it closes, the relay leaves
	Interop
	Sockets           // so many belong to the relay
	Client  = Sockets // the service's: open as long as wsl.exe lives
	Conns   = Client + 1
)

// RelayBuffer is the size of every hop's buffer (LX_RELAY_BUFFER_SIZE, and the
// first size of the buffer in init's relay).
const RelayBuffer = 0x1000

// SocketBuffer bounds what a connection holds, in each direction and at each
// end. An hvsocket's rings are of this order; a TCP socket left alone grows to
// megabytes and would hide every stall.
const SocketBuffer = 32 << 10

// Exit codes that never reach the caller of wsl.exe as they are (lxinitshared.h).
const (
	ExitUserNotFound = 67
	ExitTTYLimit     = 87
)

const (
	// TokenLen is the length of the secret that keeps strangers on loopback out.
	TokenLen = 32
	// LaunchLen is the length of a launch's name.
	LaunchLen = 16
	helloLen  = TokenLen + 1 + LaunchLen
	maxBody   = 1 << 20
)

// Hello opens every connection.
type Hello struct {
	Token  string
	Conn   int    // Stdin to Client
	Launch string // the launch a connection belongs to; zeros on Interop, which starts one
}

// NoLaunch is the launch of a connection that starts one.
const NoLaunch = "0000000000000000"

// WriteHello sends h.
func WriteHello(w io.Writer, h Hello) error {
	if len(h.Token) != TokenLen || len(h.Launch) != LaunchLen {
		return fmt.Errorf("write hello: token of %d and launch of %d bytes", len(h.Token), len(h.Launch))
	}
	_, err := io.WriteString(w, h.Token+string(rune('0'+h.Conn))+h.Launch)
	return err
}

// ReadHello reads one hello and not a byte more.
func ReadHello(r io.Reader) (Hello, error) {
	var b [helloLen]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Hello{}, fmt.Errorf("read hello: %w", err)
	}
	h := Hello{Token: string(b[:TokenLen]), Conn: int(b[TokenLen]) - '0', Launch: string(b[TokenLen+1:])}
	if h.Conn < 0 || h.Conn >= Conns {
		return Hello{}, fmt.Errorf("read hello: connection %d", h.Conn)
	}
	return h, nil
}

// What a request asks for.
const (
	OpLaunch    = "launch"
	OpClient    = "client" // be one: count for the distro's clock, and hear when it stops
	OpList      = "list"
	OpTerminate = "terminate"
	OpShutdown  = "shutdown"

	// Of the tests alone.
	OpFaults = "faults"
	OpFreeze = "freeze"
	OpThaw   = "thaw"
)

// Request is the first thing on the interop connection.
type Request struct {
	Op         string
	Distro     string // name or {id}; empty: the default one
	Launch     Launch
	Faults     Faults
	Everything bool // of a freeze: new launches too
}

// Launch says which process to start.
type Launch struct {
	User    string // empty: the distro's default user
	Cwd     string // Linux path, or ~..., or an absolute Windows path, or empty
	File    string // empty: the user's shell
	Args    []string
	Login   bool // the shell's argv[0] gets its dash
	Env     []Var
	Console [3]bool // which standard handles are consoles and stay on the terminal
}

// Var is one environment variable that WSLENV lists.
type Var struct{ Name, Value, Flags string }

// Reasons why the VM says no.
const (
	ErrDistroNotFound = "distro not found"
	ErrNoDistros      = "no distros"
	ErrDirectory      = "no such directory"
	ErrVersion1       = "distro of WSL version 1"
	ErrInternal       = "internal"
)

// Reply answers a request.
type Reply struct {
	Error   string // one of the reasons above, or empty
	Detail  string
	Launch  string   // the name for the other connections
	Faults  Faults   // of a launch: wsl.exe has its part in them
	Distros []Distro // of a list: the default one first
}

// Distro is one line of a list.
type Distro struct {
	Name    string
	ID      string // {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}
	Running bool
	Version int // 1 or 2
}

// Send writes one message, a request or a reply.
func Send(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	_, err = w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

// Receive reads one message into v.
func Receive(r io.Reader, v any) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxBody {
		return fmt.Errorf("read message: %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	return json.Unmarshal(body, v)
}

// StatusLen is the length of an exit status on the interop connection.
const StatusLen = 4

// Status encodes an exit status: the exit code, or the raw wait status of a
// process that a signal ended.
func Status(code uint32) []byte { return binary.LittleEndian.AppendUint32(nil, code) }

// ParseStatus is the reverse of Status.
func ParseStatus(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
