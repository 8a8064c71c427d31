package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

// pipeBuffer is that of dockerd.exe's pipes, both ways (moby, daemon/listeners/listeners_windows.go).
const pipeBuffer = 65536

func (e Endpoint) listenFor(allowed []string) (net.Listener, error) {
	if e.scheme != pipeScheme {
		return nil, errors.ErrUnsupported
	}
	user, err := carrier.OwnSID()
	if err != nil {
		return nil, err
	}
	sids := make([]string, len(allowed))
	for i, name := range allowed {
		if sids[i], err = sidOf(name); err != nil {
			return nil, fmt.Errorf("look up account %s: %w", quoteShort(name), err)
		}
	}
	if checkPipeExists(e.addr) == nil { // the next call says so as well, but not under Wine
		return nil, &InUseError{Path: e.addr}
	}
	l, err := winio.ListenPipe(e.addr, &winio.PipeConfig{
		SecurityDescriptor: pipeAccess(user, sids), MessageMode: true, InputBufferSize: pipeBuffer, OutputBufferSize: pipeBuffer,
	})
	// go-winio asks for FILE_CREATE, which is CreateNamedPipe's FILE_FLAG_FIRST_PIPE_INSTANCE.
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, windows.ERROR_PIPE_BUSY) || errors.Is(err, fs.ErrExist) {
		return nil, &InUseError{Path: e.addr}
	}
	return l, err
}

// checkPipeExists is nil if there is a pipe of that name, busy or not. It connects to none.
func checkPipeExists(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	const millisecond = 1
	ok, _, err := windows.NewLazySystemDLL("kernel32.dll").NewProc("WaitNamedPipeW").Call(uintptr(unsafe.Pointer(name)), millisecond)
	if ok != 0 || errors.Is(err, windows.ERROR_SEM_TIMEOUT) {
		return nil
	}
	return err
}

// sidOf knows a SID as one, and else asks Windows, which knows its groups in its own language.
func sidOf(name string) (string, error) {
	if sid, err := windows.StringToSid(name); err == nil {
		return sid.String(), nil
	}
	sid, _, _, err := windows.LookupSID("", name)
	if err != nil {
		return "", err
	}
	return sid.String(), nil
}
